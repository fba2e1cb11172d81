# The agent, for Slurm in a container: it uses the mounted socket of the Docker engine.
#
#   docker build -t waldur-slurm-agent .
#
# The gateway, in front of a Slurm whose slurm.conf and munge socket are mounted:
#   docker build -t slurm-gateway --target gateway .
# SLURM names what it starts from: an image with the commands of your release. Into a plain Debian or
# Ubuntu those of the distribution are installed.
#   docker build -t slurm-gateway --target gateway --build-arg SLURM=debian:trixie-slim .
#
# The operator, for a pod of Kubernetes:
#   docker build -t slurm-operator --target operator .
#
# A plain Debian serves as base of the agent and the operator too; its own Python is installed then:
#   docker build -t waldur-slurm-agent --build-arg BASE=debian:bookworm-slim .
# Where no package index can be reached, the packages may come with the sources:
#   pip wheel --wheel-dir dist '.[gateway]' 'setuptools>=77'
#   docker build -t waldur-slurm-agent --build-arg PIP_NO_INDEX=1 .

ARG BASE=python:3.11-slim
ARG SLURM=debian:bookworm-slim

FROM ${BASE} AS python
RUN command -v python3 >/dev/null \
 || { apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*; }

FROM python AS build
RUN python3 -c 'import ensurepip' \
 || { apt-get update && apt-get install -y --no-install-recommends python3-venv; }
WORKDIR /build
COPY . .
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
RUN python3 -m venv /opt/waldur-slurm-agent \
 && /opt/waldur-slurm-agent/bin/pip install --find-links=dist . \
 && /opt/waldur-slurm-agent/bin/pip uninstall -y pip setuptools

FROM python AS agent
COPY --from=build /opt/waldur-slurm-agent /opt/waldur-slurm-agent
COPY docker-entrypoint /usr/local/bin/
# What the agent remembers lies here: mount a volume, and it survives the container.
RUN useradd --system --user-group --uid 986 --home-dir /nonexistent --shell /usr/sbin/nologin agent \
 && install -d -o agent -g agent -m 700 /var/lib/waldur-slurm-agent
ENV PATH=/opt/waldur-slurm-agent/bin:$PATH PYTHONUNBUFFERED=1
# The TRES configuration is looked for here: mount it as config-components.yaml.
WORKDIR /etc/waldur-slurm-service
ENTRYPOINT ["docker-entrypoint"]

# The operator needs neither Slurm nor files of its own. ssh wants to know the name of whoever runs it.
FROM python AS operator
RUN apt-get update \
 && apt-get install -y --no-install-recommends openssh-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && useradd --system --user-group --uid 65532 --home-dir /nonexistent \
      --shell /usr/sbin/nologin slurm-operator
COPY --from=build /opt/waldur-slurm-agent /opt/waldur-slurm-agent
ENV PATH=/opt/waldur-slurm-agent/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["slurm-operator"]

# The gateway starts Slurm's commands itself, and the hand starts them as users, by sudo; or all of
# it is done on another host, by ssh.
FROM ${SLURM} AS slurm
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates \
      openssh-client python3 sudo $(command -v squeue >/dev/null || echo slurm-client) \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

FROM slurm AS gateway-build
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
WORKDIR /build
COPY . .
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
RUN python3 -m venv /opt/waldur-slurm-agent \
 && /opt/waldur-slurm-agent/bin/pip install --find-links=dist '.[gateway]' \
 && /opt/waldur-slurm-agent/bin/pip uninstall -y pip setuptools \
 && install -d /usr/libexec/slurm-gateway \
 && python3 -m waldur_slurm.hand.pack /usr/libexec/slurm-gateway/hand

FROM slurm AS gateway
COPY --from=gateway-build /opt/waldur-slurm-agent /opt/waldur-slurm-agent
COPY --from=gateway-build /usr/libexec/slurm-gateway /usr/libexec/slurm-gateway
# Mount a hand.conf of your own over this one: it says whom the gateway may act as.
COPY systemd-conf/gateway/hand.conf /etc/slurm-gateway/hand.conf
COPY systemd-conf/gateway/slurm-gateway-hand.sudoers /etc/sudoers.d/slurm-gateway-hand
# What the gateway remembers lies in /var/lib: mount a volume, and it survives the container.
RUN chmod 440 /etc/sudoers.d/slurm-gateway-hand \
 && useradd --system --user-group --uid 985 --home-dir /nonexistent --shell /usr/sbin/nologin \
      slurm-gateway \
 && install -d -o slurm-gateway -g slurm-gateway -m 700 /var/lib/slurm-gateway
ENV PATH=/opt/waldur-slurm-agent/bin:$PATH PYTHONUNBUFFERED=1
USER slurm-gateway
WORKDIR /var/lib/slurm-gateway
HEALTHCHECK --interval=5s --timeout=20s --start-period=60s \
  CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8040/healthz', timeout=10)"]
ENTRYPOINT ["slurm-gateway"]

# Without a target it is the agent.
FROM agent
