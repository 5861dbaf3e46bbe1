// The last word on each hit. To run it: npm install kafkajs; node last_word_consumer.js
const { randomUUID } = require("crypto");
const { Kafka } = require("kafkajs");

const kafka = new Kafka({ brokers: ["localhost:9092"] });
// In memory, made anew at each start: a group of its own, that commits no offsets, and everything from the beginning.
const consumer = kafka.consumer({ groupId: `last-words-${randomUUID()}`, readUncommitted: false });
const hits = new Map();
const observed = new Map();

function take({ headers, value }) {
  const schema = String(headers.ce_dataschema);
  if (!/^urn:wolkvox-hits:schema:hit(_changed)?:1\./.test(schema)) throw new TypeError("not a hit");
  const hit = JSON.parse(value[0] === 0 ? value.subarray(5) : value); // the frame of a schema registry
  const key = `${hit.server}/${hit.conn_id}`;
  // Text order is time order; in the same moment hit_changed sorts behind hit, and stands.
  const moment = hit.observed_at + schema;
  if (moment <= (observed.get(key) ?? "")) return; // again, or too late
  observed.set(key, moment);
  hits.set(key, hit); // your work: this is what the hit says now
  console.log(JSON.stringify([hit.server, hit.conn_id, hit.hit]));
}

async function main() {
  await consumer.connect();
  await consumer.subscribe({ topics: ["wolkvox.hits", "wolkvox.hits.changes"], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, message }) => {
      try {
        take(message);
      } catch (error) {
        console.error(`${topic} at ${message.offset}: ${error.name}`);
      }
    },
  });
}

main();
