// A commission for each hit, once. To run it: npm install kafkajs; node kafkajs_consumer.js
const { Kafka, Partitioners } = require("kafkajs");

const kafka = new Kafka({ brokers: ["localhost:9092"] });
const consumer = kafka.consumer({ groupId: "commissions", readUncommitted: false });
const deadLetters = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
const done = new Set(); // stands for your table with ce_id as its primary key

function decode({ headers, value }) {
  if (!String(headers.ce_dataschema).startsWith("urn:wolkvox-hits:schema:hit:1.")) throw new TypeError("not a hit");
  const { hit } = JSON.parse(value[0] === 0 ? value.subarray(5) : value); // the frame of a schema registry
  return { id: headers.ce_id.toString(), hit };
}

async function work({ id, hit }) {
  console.log(id, done.has(id) ? "was done before" : hit);
  done.add(id);
}

async function main() {
  await Promise.all([consumer.connect(), deadLetters.connect()]);
  await consumer.subscribe({ topic: "wolkvox.hits", fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      let event;
      try {
        event = decode(message);
      } catch (error) {
        const headers = { ...message.headers, reason: error.name };
        await deadLetters.send({ topic: "commissions.dead-letter", messages: [{ ...message, headers }] });
      }
      if (event?.hit) await work(event); // else it is no achievement, or not yet
      await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(message.offset) + 1n) }]);
    },
  });
}

main();
