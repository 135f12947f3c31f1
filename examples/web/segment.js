// U²-Net in a browser: a picture in, a mask out.  The network is a graph model of TensorFlow.js, with channels last.

/* global tf */

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

export async function load(url) {
  const model = await tf.loadGraphModel(url);
  const [input] = model.inputs;
  const [, height, width] = input.shape;
  return {model, input: input.name, height, width, output: model.outputs[0].name};
}

// Return how much each pixel belongs to what the picture shows, from 0 to 1, in the network's own size.
export async function segment(network, picture) {
  const mask = tf.tidy(() => {
    const pixels = tf.browser.fromPixels(picture).toFloat();
    const fitting = tf.image.resizeBilinear(pixels, [network.height, network.width], false, true);
    const largest = tf.maximum(fitting.max(), 1);
    const batch = fitting.div(largest).sub(MEAN).div(DEVIATION).expandDims(0);
    const found = network.model.execute({[network.input]: batch}, network.output).reshape([network.height, network.width]);
    const least = found.min();
    return found.sub(least).div(tf.maximum(found.max().sub(least), 1e-6));
  });
  const numbers = await mask.data();
  mask.dispose();
  return numbers;
}
