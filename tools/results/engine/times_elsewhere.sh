#!/bin/sh
# Times of our own engine on a machine that has no Python, for python -m tools.results.engine.elsewhere:
#   sh times_elsewhere.sh NANOEDGE_BENCH BUNDLE FOLDER [RUNS [ROUNDS]]
# The bundle holds models for native (float and int8) and openvino; NANOEDGE_OPENVINO names OpenVINO's C library.
set -eu
bench=$1 bundle=$2 folder=$3 runs=${4:-4} rounds=${5:-200}
mkdir -p "$folder"
lscpu > "$folder/lscpu.txt"
for run in $(seq "$runs"); do
  "$bench" "$bundle" --precision float,int8 --compute fp32,bf16 --rounds "$rounds" --json > "$folder/best-$run.json"
  NANOEDGE_KERNELS=avx512-vnni \
    "$bench" "$bundle" --precision float,int8 --compute fp32,bf16 --rounds "$rounds" --json > "$folder/avx512-vnni-$run.json"
  NANOEDGE_KERNELS=avx2 "$bench" "$bundle" --precision float,int8 --rounds "$rounds" --json > "$folder/avx2-$run.json"
  "$bench" "$bundle" --engine native --precision float,int8 --threads 1,2 --rounds "$rounds" --json > "$folder/threads-$run.json"
done
