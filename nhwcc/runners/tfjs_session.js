'use strict';

// Runs graph models by TensorFlow.js: requests come in one by one, and each gets an answer.
//
// A message is the length of a text, the text, which is JSON, and the bytes of the tensors that it describes.
// When whoever asks is gone, a second pipe ends, and so does this process, whatever it is doing.

const fs = require('fs');
const path = require('path');
const {Worker} = require('worker_threads');

const [, , library, alive, wasm] = process.argv;
new Worker(
    `require('fs').readSync(${Number(alive)}, Buffer.alloc(1)); process.kill(process.pid, 'SIGKILL')`,
    {eval: true});

console.log = console.info = console.warn = () => undefined;
const tf = require(library);
if (wasm) require(wasm).setWasmPaths(path.join(wasm, 'dist', path.sep));

const ARRAYS = {float32: Float32Array, int32: Int32Array, bool: Uint8Array};
const models = new Map();

// A thread that waits in a call of the system keeps a process from ending any other way.
function end() {
  process.kill(process.pid, 'SIGKILL');
}

// Pipes may be full or empty for a while; libraries let calls fail then instead of waiting.
function patiently(call) {
  for (;;) {
    try {
      return call();
    } catch (bad) {
      if (bad.code !== 'EAGAIN') throw bad;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function read(size) {
  const buffer = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const count = patiently(() => fs.readSync(0, buffer, filled, size - filled, null));
    if (count === 0) end();
    filled += count;
  }
  return buffer;
}

function write(buffer) {
  let done = 0;
  while (done < buffer.length) done += patiently(() => fs.writeSync(1, buffer, done));
}

function receive() {
  const said = JSON.parse(read(read(4).readUInt32LE(0)).toString('utf8'));
  for (const tensor of said.tensors || []) tensor.bytes = read(tensor.size);
  return said;
}

function send(said, buffers) {
  const text = Buffer.from(JSON.stringify(said), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length, 0);
  for (const buffer of [length, text, ...buffers]) write(buffer);
}

async function load({folder, number, forget}) {
  for (const other of forget) {
    models.get(other).model.dispose();
    models.delete(other);
  }
  const said = JSON.parse(fs.readFileSync(path.join(folder, 'model.json'), 'utf8'));
  const specs = [], parts = [];
  for (const group of said.weightsManifest) {
    specs.push(...group.weights);
    parts.push(...group.paths.map(name => fs.readFileSync(path.join(folder, name))));
  }
  const joined = Buffer.concat(parts);
  const weightData = joined.buffer.slice(joined.byteOffset, joined.byteOffset + joined.length);
  const artifacts = {
    modelTopology: said.modelTopology, signature: said.signature, format: said.format,
    userDefinedMetadata: said.userDefinedMetadata, weightSpecs: specs, weightData,
  };
  const backend = wasm ? 'wasm' : 'cpu';
  await tf.setBackend(backend);
  models.set(number, {backend, model: await tf.loadGraphModel({load: async () => artifacts})});
  return [{version: tf.version.tfjs}, []];
}

function tensorOf({dtype, shape, bytes, strings}) {
  if (dtype === 'string') return tf.tensor(strings, shape, 'string');
  const array = ARRAYS[dtype];
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return tf.tensor(new array(own), shape, dtype);
}

// Kernels for WebAssembly write beyond tensors that hold nothing, which spoils all that come later.
class Nothing extends Error {}

function guard() {
  const engine = tf.engine(), runKernel = engine.runKernel.bind(engine);
  engine.runKernel = (name, inputs, attributes) => {
    if (engine.backendName === 'wasm' && Object.values(inputs).flat().some(tensor => tensor && tensor.size === 0)) {
      throw new Nothing(`${name} of nothing`);
    }
    return runKernel(name, inputs, attributes);
  };
}

if (wasm) guard();

// WebAssembly has fewer kernels, which are many times as fast, and stops where integers are divided by zero.
async function execute(held, inputs, outputs) {
  try {
    return await held.model.executeAsync(inputs, outputs);
  } catch (bad) {
    const stops = bad instanceof WebAssembly.RuntimeError || bad instanceof Nothing;
    const lacks = /not registered/.test(bad.message) || stops;
    if (held.backend === 'cpu' || !lacks) throw bad;
    held.backend = 'cpu';
    await tf.setBackend('cpu');
    return held.model.executeAsync(inputs, outputs);
  }
}

async function run({number, tensors, outputs}) {
  const held = models.get(number);
  await tf.setBackend(held.backend);
  const inputs = Object.fromEntries(tensors.map(said => [said.name, tensorOf(said)]));
  let found = await execute(held, inputs, outputs);
  if (!Array.isArray(found)) found = [found];
  const told = [], buffers = [];
  for (const tensor of found) {
    const data = await tensor.data();
    if (tensor.dtype === 'string') {
      told.push({dtype: 'string', shape: tensor.shape, size: 0, strings: [...data]});
      continue;
    }
    // a tensor that was converted may still hold the numbers of the one before
    const numbers = data instanceof ARRAYS[tensor.dtype] ? data : ARRAYS[tensor.dtype].from(data);
    const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    told.push({dtype: tensor.dtype, shape: tensor.shape, size: bytes.length});
    buffers.push(bytes);
  }
  tf.dispose([...new Set([...found, ...Object.values(inputs)])]);
  return [{tensors: told}, buffers];
}

const KINDS = {load, run};

async function serve() {
  for (;;) {
    const said = receive();
    try {
      send(...await KINDS[said.kind](said));
    } catch (bad) {
      send({error: String(bad && bad.message || bad)}, []);
    }
  }
}

serve().catch(bad => {
  process.stderr.write(`${bad && bad.stack || bad}\n`, end);
});
