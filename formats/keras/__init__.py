"""Models of Keras: a program of layers and operations as plain data, and what makes files of it by Keras itself."""
