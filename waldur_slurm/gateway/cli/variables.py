"""What the commands for people at a terminal read of the environment. Loads nothing else."""

VARIABLES = {
    "GATEWAY_URL": "the gateway's address, such as `https://gateway.example.org`",
    "GATEWAY_TOKEN": "a token that it gave",
    "GATEWAY_TOKEN_FILE": "a file with the token in it, in its place",
    "GATEWAY_CACERT": "a file with the certificates to trust, where the system's are not enough",
}
