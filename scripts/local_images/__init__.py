"""Stand-ins for the images of docker-compose.yml, for machines that reach no image registry."""
