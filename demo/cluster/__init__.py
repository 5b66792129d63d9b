"""What the services of docker-compose.yml run and read."""
