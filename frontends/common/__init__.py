"""What several frontends share."""
