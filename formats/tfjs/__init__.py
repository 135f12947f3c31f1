"""Graph models of TensorFlow.js: a folder with a graph as JSON, and with its weights in parts."""
