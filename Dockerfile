# The engine and its page, with its nets and its kernels compiled: docker build -t goengine . && docker run -i goengine
# Arguments go to `goengine gtp`: docker run -i goengine --visits 200. Nets of one's own: -v FOLDER:/nets.
# The board in the browser listens on loopback only, so it needs the host's network:
# docker run --rm --network host --entrypoint goengine goengine web --no-browser
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 GOENGINE_CACHE=/var/cache/goengine GOENGINE_NETS=/nets
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY goengine goengine
COPY training training
COPY selfplay selfplay
RUN pip install '.[web,vision]' && rm -rf build ./*.egg-info

# The kernels are compiled for the processor that builds the image; on another kind numba compiles them again.
WORKDIR /games
RUN goengine warmup && useradd --create-home player && chown -R player /var/cache/goengine /games
USER player
ENTRYPOINT ["goengine", "gtp"]
