"""The resource daemon: labels and resources that the site gives to nodes."""
