package rega.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The reference job as a Kafka Streams application: exactly once, RocksDB, a changelog.
 *
 * <p>Written as one would who knows Kafka Streams and wants it fast: one processor, one store, a
 * compact state, no serialiser in between.
 */
public final class Reference {
  private static final class Step implements Processor<byte[], byte[], byte[], byte[]>, Job.States {
    private final Job job;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, byte[]> store;

    Step(Path table) {
      try {
        job = new Job(table, this);
      } catch (IOException unreadable) {
        throw new UncheckedIOException(unreadable);
      }
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
      store = context.getStateStore("customers");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      try {
        byte[] out = job.touchpoint(record.key(), record.value());
        if (out != null) context.forward(record.withValue(out));
      } catch (IOException unreadable) {
        // The load has none; a real one would go to a topic for rejects.
        throw new UncheckedIOException(unreadable);
      }
    }

    @Override
    public byte[] get(Bytes customer) {
      return store.get(customer);
    }

    @Override
    public void put(Bytes customer, byte[] state) {
      store.put(customer, state);
    }
  }

  /** Arguments: brokers, application id, input topic, output topic, commit ms, threads, folder, table. */
  public static void main(String[] arguments) throws Exception {
    Path table = Path.of(arguments[7]);
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, Long.parseLong(arguments[4]));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Integer.parseInt(arguments[5]));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[6]);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put("auto.offset.reset", "earliest");
    settings.put("producer.compression.type", "lz4");
    Topology topology = new Topology();
    topology.addSource("in", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), arguments[2]);
    topology.addProcessor("job", () -> new Step(table), "in");
    topology.addStateStore(
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore("customers"), Serdes.Bytes(), Serdes.ByteArray())
            .withCachingEnabled(),
        "job");
    topology.addSink("out", arguments[3], Serdes.ByteArray().serializer(), Serdes.ByteArray().serializer(), "job");
    KafkaStreams streams = new KafkaStreams(topology, settings);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
    streams.start();
    Thread.currentThread().join();
  }
}
