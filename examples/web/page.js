// Shows a picture, its mask, and what the mask leaves of it.

/* global tf */

import {load, segment} from './segment.js';

const [file, said, picture, mask, cut] = ['file', 'said', 'picture', 'mask', 'cut'].map(id => document.getElementById(id));
const asked = new URLSearchParams(location.search);

function draw(canvas, source, width, height) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.drawImage(source, 0, 0, width, height);
  return context;
}

function grey(numbers, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  numbers.forEach((number, place) => image.data.fill(Math.round(255 * number), 4 * place, 4 * place + 3));
  for (let place = 3; place < image.data.length; place += 4) image.data[place] = 255;
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
}

async function show(network, source) {
  const {width, height} = source;
  const shown = draw(picture, source, width, height);
  const began = performance.now();
  const small = grey(await segment(network, picture), network.width, network.height);
  const seconds = (performance.now() - began) / 1000;
  const large = draw(mask, small, width, height).getImageData(0, 0, width, height);
  const pixels = shown.getImageData(0, 0, width, height);
  for (let place = 3; place < pixels.data.length; place += 4) pixels.data[place] = large.data[place - 3];
  draw(cut, picture, width, height).putImageData(pixels, 0, 0);
  said.textContent = `${seconds.toFixed(2)} s by ${tf.getBackend()}`;
  document.body.dataset.state = 'done';
}

try {
  const network = await load(asked.get('model') ?? 'web_model/model.json');
  file.addEventListener('change', async () => show(network, await createImageBitmap(file.files[0])));
  const first = await fetch(asked.get('picture') ?? '../coffee.jpg');
  await show(network, await createImageBitmap(await first.blob()));
} catch (bad) {
  said.textContent = String(bad);
  document.body.dataset.state = 'failed';
}
