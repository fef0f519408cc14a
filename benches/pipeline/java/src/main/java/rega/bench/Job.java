package rega.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;

/**
 * The reference job, whatever carries its records and keeps its states.
 *
 * <p>Per touchpoint: parse, drop what was seen before (a ring of 64 event ids), find the rules of
 * its event, label it by the first of them that holds, add the points of all that hold to five
 * fading scores where the customer acted, write the state, and give one record to send.
 */
final class Job {
  /** Where a customer's state is between touchpoints. */
  interface States {
    byte[] get(Bytes customer);

    void put(Bytes customer, byte[] state);
  }

  private static final List<String> TRACKS = List.of("access", "engage", "customize", "connect", "collaborate");
  /** Of each track, in milliseconds: what the pack of the same job says. */
  private static final double[] HALF_LIVES = {45 * 864e5, 45 * 864e5, 60 * 864e5, 30 * 864e5, 60 * 864e5};
  private static final double[] WEIGHTS = {.3, .4, .2, .05, .05};
  private static final int RING = 64;

  private record Rule(
      String name, String property, double min, double max, String microMoment,
      String momentOfTruth, String stage, String valence, String reason, int track, double points) {}

  private static double number(String text, double otherwise) {
    return text.equals("-") ? otherwise : Double.parseDouble(text);
  }

  private static Map<String, List<Rule>> rules(Path table) throws IOException {
    Map<String, List<Rule>> rules = new HashMap<>();
    List<String> lines = Files.readAllLines(table);
    for (String line : lines.subList(1, lines.size())) {
      String[] at = line.split("\t");
      rules.computeIfAbsent(at[1], event -> new ArrayList<>()).add(new Rule(
          at[0], at[2].equals("-") ? null : at[2], number(at[3], Double.NEGATIVE_INFINITY),
          number(at[4], Double.POSITIVE_INFINITY), at[5], at[6], at[7], at[8],
          at[9].equals("-") ? null : at[9], TRACKS.indexOf(at[10]), number(at[11], 0)));
    }
    return rules;
  }

  /** Five scores and their instant, the count, and the ring of hashes. */
  private static final class State {
    final double[] scores = new double[5];
    long asOf;
    int count;
    int ringed;
    final long[] ring = new long[RING];

    State(byte[] stored) {
      if (stored == null) return;
      ByteBuffer in = ByteBuffer.wrap(stored);
      for (int i = 0; i < 5; i++) scores[i] = in.getDouble();
      asOf = in.getLong();
      count = in.getInt();
      ringed = in.getInt();
      for (int i = 0; i < Math.min(ringed, RING); i++) ring[i] = in.getLong();
    }

    byte[] bytes() {
      int kept = Math.min(ringed, RING);
      ByteBuffer out = ByteBuffer.allocate(40 + 8 + 4 + 4 + 8 * kept);
      for (double score : scores) out.putDouble(score);
      out.putLong(asOf).putInt(count).putInt(ringed);
      for (int i = 0; i < kept; i++) out.putLong(ring[i]);
      return out.array();
    }

    boolean seen(long hash) {
      for (int i = 0; i < Math.min(ringed, RING); i++) if (ring[i] == hash) return true;
      return false;
    }

    void remember(long hash) {
      ring[ringed++ % RING] = hash;
    }

    double faded(int track, long at) {
      return scores[track] * Math.pow(2, -(at - asOf) / HALF_LIVES[track]);
    }

    /** Forward decay: what comes late is faded to the instant that the scores have reached. */
    void add(int track, double points, long at) {
      scores[track] += points * Math.pow(2, (at - asOf) / HALF_LIVES[track]);
    }

    void advance(long at) {
      if (asOf == 0) asOf = at;
      if (at <= asOf) return;
      for (int track = 0; track < 5; track++) scores[track] = faded(track, at);
      asOf = at;
    }
  }

  private final ObjectMapper json = new ObjectMapper();
  private final Map<String, List<Rule>> rules;
  private final States states;

  Job(Path table, States states) throws IOException {
    rules = rules(table);
    this.states = states;
  }

  /** Returns the record to send; {@code null} for a repetition. */
  byte[] touchpoint(byte[] customer, byte[] value) throws IOException {
    JsonNode in = json.readTree(value);
    String eventId = in.get("event_id").asText();
    Bytes key = Bytes.wrap(customer);
    State state = new State(states.get(key));
    long hash = hash(eventId);
    if (state.seen(hash)) return null;
    state.remember(hash);
    long ts = Instant.parse(in.get("ts").asText()).toEpochMilli();
    state.advance(ts);
    state.count++;
    ObjectNode out = json.createObjectNode();
    out.put("event_id", eventId).put("revision", 0);
    out.set("customer_id", in.get("customer_id"));
    out.set("ts", in.get("ts"));
    out.set("channel", in.get("channel"));
    String event = in.get("event").asText();
    out.put("event", event);
    JsonNode actor = in.get("actor");
    boolean earns = actor == null || actor.asText().equals("customer");
    judge(in.get("properties"), rules.getOrDefault(event, List.of()), state, earns ? ts : -1, out);
    ObjectNode engagement = out.putObject("engagement");
    double overall = 0;
    for (int track = 0; track < 5; track++) {
      double score = Math.max(0, Math.min(100, state.scores[track]));
      engagement.put(TRACKS.get(track), Math.round(score * 100) / 100.0);
      overall += score * WEIGHTS[track];
    }
    engagement.put("overall", Math.round(overall * 100) / 100.0);
    engagement.put("band", overall < 10 ? "dormant" : overall < 35 ? "casual" : overall < 65 ? "active" : "champion");
    out.put("touchpoints", state.count);
    out.put("as_of", state.asOf);
    states.put(key, state.bytes());
    return json.writeValueAsBytes(out);
  }

  private static void judge(JsonNode properties, List<Rule> rules, State state, long ts, ObjectNode out) {
    Rule first = null;
    var names = out.putArray("rules");
    for (Rule rule : rules) {
      if (rule.property() != null) {
        JsonNode value = properties == null ? null : properties.get(rule.property());
        if (value == null || !value.isNumber()) continue;
        double number = value.asDouble();
        if (number < rule.min() || rule.max() < number) continue;
      }
      if (first == null) first = rule;
      names.add(rule.name());
      // What the brand or a system does gives no points.
      if (rule.points() != 0 && 0 <= ts) state.add(rule.track(), rule.points(), ts);
    }
    out.put("micro_moment", first == null ? "none" : first.microMoment());
    out.put("moment_of_truth", first == null ? "none" : first.momentOfTruth());
    out.put("stage", first == null ? "none" : first.stage());
    out.put("valence", first == null ? "neutral" : first.valence());
    out.put("reason", first == null ? null : first.reason());
  }

  private static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < text.length(); i++) hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    return hash;
  }
}
