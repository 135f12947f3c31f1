"""TensorFlow's files: graphs, SavedModels and the bundles that hold their variables, read without TensorFlow."""
