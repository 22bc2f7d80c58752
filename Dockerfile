# Builds the toolkit on Debian 12 and runs it anywhere:
#
#   docker build -t memprof .
#   docker run --rm --network host -v "$PWD/results:/memprof/results" memprof --tag first
#
# With NVIDIA GPUs add --gpus all. Environment variables of scripts/run_memory_profile.sh: -e NAME=...
# Another tool: --entrypoint /memprof/build/release/bin/gpu_mem_sampler
FROM debian:12

# `utility` is what brings libnvidia-ml.so.1 and nvidia-smi into the container.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=utility

WORKDIR /memprof
COPY scripts/install_deps.sh scripts/quietly.sh scripts/
RUN scripts/install_deps.sh && rm -rf /var/lib/apt/lists/*
COPY . .
RUN scripts/build.sh release
ENTRYPOINT ["/memprof/scripts/run_memory_profile.sh"]
