"""Where root's word stands. `pack` may write another place into the file that it makes."""

CONF = "/etc/slurm-gateway/hand.conf"
