package rega.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;

/**
 * The reference job as a loop written by hand: poll, judge, send, and at every interval one
 * transaction with the changed states and the offsets.
 *
 * <p>What it leaves out is what makes such a loop a service: states live in memory alone and are not
 * read back, and a rebalance would leave it with somebody else's.
 */
public final class Loop implements Job.States {
  private final Map<Bytes, byte[]> states = new HashMap<>();
  private final Set<Bytes> changed = new HashSet<>();

  @Override
  public byte[] get(Bytes customer) {
    return states.get(customer);
  }

  @Override
  public void put(Bytes customer, byte[] state) {
    states.put(customer, state);
    changed.add(customer);
  }

  /** Arguments: brokers, group, input topic, output topic, commit ms, state topic, table. */
  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("group.id", arguments[1]);
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "earliest");
    settings.put("isolation.level", "read_committed");
    var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    Properties sending = new Properties();
    sending.put("bootstrap.servers", arguments[0]);
    sending.put("transactional.id", arguments[1]);
    sending.put("compression.type", "lz4");
    sending.put("linger.ms", "100");
    var producer = new KafkaProducer<>(sending, new ByteArraySerializer(), new ByteArraySerializer());
    Loop loop = new Loop();
    Job job = new Job(Path.of(arguments[6]), loop);
    long every = Duration.ofMillis(Long.parseLong(arguments[4])).toNanos();
    producer.initTransactions();
    consumer.subscribe(List.of(arguments[2]));
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    long begun = System.nanoTime();
    while (true) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(50))) {
        if (offsets.isEmpty()) producer.beginTransaction();
        byte[] out = job.touchpoint(record.key(), record.value());
        if (out != null) producer.send(new ProducerRecord<>(arguments[3], record.partition(), record.key(), out));
        offsets.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
      }
      if (offsets.isEmpty() || System.nanoTime() - begun < every) continue;
      for (Bytes customer : loop.changed) {
        producer.send(new ProducerRecord<>(arguments[5], customer.get(), loop.states.get(customer)));
      }
      loop.changed.clear();
      producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
      producer.commitTransaction();
      offsets.clear();
      begun = System.nanoTime();
    }
  }
}
