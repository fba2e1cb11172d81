# The agent, for Slurm in a container: it uses the mounted socket of the Docker engine.
#
#   docker build -t waldur-slurm-agent .
#
# A plain Debian serves as base too; its own Python is installed then:
#   docker build -t waldur-slurm-agent --build-arg BASE=debian:bookworm-slim .
# Where no package index can be reached, the packages may come with the sources:
#   pip wheel --wheel-dir dist . 'setuptools>=77'
#   docker build -t waldur-slurm-agent --build-arg PIP_NO_INDEX=1 .

ARG BASE=python:3.11-slim
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

FROM python
COPY --from=build /opt/waldur-slurm-agent /opt/waldur-slurm-agent
COPY docker-entrypoint /usr/local/bin/
# What the agent remembers lies here: mount a volume, and it survives the container.
RUN useradd --system --user-group --uid 986 --home-dir /nonexistent --shell /usr/sbin/nologin agent \
 && install -d -o agent -g agent -m 700 /var/lib/waldur-slurm-agent
ENV PATH=/opt/waldur-slurm-agent/bin:$PATH PYTHONUNBUFFERED=1
# The TRES configuration is looked for here: mount it as config-components.yaml.
WORKDIR /etc/waldur-slurm-service
ENTRYPOINT ["docker-entrypoint"]
