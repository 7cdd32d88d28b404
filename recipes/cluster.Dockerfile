# The image of recipes/kuberay.yaml: Ray's own with the engine in it, for learning and playing on CPUs.
FROM rayproject/ray:2.60.0-py311-cpu

WORKDIR /home/ray/goengine
COPY --chown=ray pyproject.toml README.md LICENSE ./
COPY --chown=ray goengine goengine
COPY --chown=ray training training
COPY --chown=ray selfplay selfplay
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu '.[train,distributed]' && goengine warmup
WORKDIR /home/ray
