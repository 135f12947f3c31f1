"""Models of OpenVINO: the network as XML, the elements of its constants in a file beside it."""
