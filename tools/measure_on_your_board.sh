#!/bin/sh
# Measures NanoEdge on this machine and prints one line to send back:
#   sh measure_on_your_board.sh BENCH BUNDLE [ROUNDS]
# BENCH is the static executable nanoedge-bench, or `nanoedge` of an installed wheel. The line says what the board is,
# how warm it was, and medians in milliseconds, forward / frame to boxes, of our own engine and of ncnn with one thread
# and with all. Nothing that names you or the board's owner is in it. What cannot be found out is "-".
set -eu
LC_ALL=C
export LC_ALL
if [ $# -lt 2 ]; then
  echo "usage: sh measure_on_your_board.sh NANOEDGE_BENCH BUNDLE [ROUNDS]" >&2
  exit 2
fi
bench=$1 bundle=$2 rounds=${3:-100}
system=${NANOEDGE_SYSTEM:-}   # for tests: a folder that stands for /

# The first line of a file, or of standard input, fit for one line of fields.
field() {
  text=$( { [ $# -eq 0 ] && cat || cat "$1"; } 2>/dev/null | tr '\000\t;=' '\n   ' | head -n 1 | tr -cd '[:print:]' |
    sed 's/  */ /g; s/^ //; s/ $//') || true
  printf '%s' "${text:--}"
}

board() {
  for file in "$system/proc/device-tree/model" "$system/sys/devices/virtual/dmi/id/product_name"; do
    if [ -r "$file" ]; then
      field "$file"
      return
    fi
  done
  printf '%s' -
}

# Names of Arm's cores by their part numbers, else what the kernel calls the CPU; how many of each.
cpu() {
  [ -r "$system/proc/cpuinfo" ] || { printf '%s' -; return; }
  awk -F '[ \t]*:[ \t]*' '
    BEGIN {
      split("0xd03 A53 0xd04 A35 0xd05 A55 0xd07 A57 0xd08 A72 0xd09 A73 0xd0a A75 0xd0b A76 0xd0d A77 0xd41 A78",
            parts, " ")
      for (i = 1; i in parts; i += 2) names[parts[i]] = "Cortex-" parts[i + 1]
    }
    $1 == "CPU part" { found = ($2 in names) ? names[$2] : "part " $2 }
    $1 == "model name" && !($2 ~ /^ARM/) { found = $2 }
    found != "" { if (!(found in count)) order[++kinds] = found; ++count[found]; found = "" }
    END { for (i = 1; i <= kinds; ++i) printf "%s%s x%d", (i > 1 ? " + " : ""), order[i], count[order[i]] }
  ' "$system/proc/cpuinfo" 2>/dev/null | field
}

# The number in a file, divided.
scaled() {
  value=$( { cat "$system/$1" | head -n 1 | tr -cd '0-9-'; } 2>/dev/null) || value=
  if [ -n "$value" ]; then
    awk -v value="$value" -v divisor="$2" -v form="$3" 'BEGIN { printf form, value / divisor }'
  else
    printf '%s' -
  fi
}

megahertz() {
  scaled "sys/devices/system/cpu/cpufreq/policy0/$1" 1000 %d
}

celsius() {
  scaled sys/class/thermal/thermal_zone0/temp 1000 %.1f
}

throttled() {
  command -v vcgencmd >/dev/null 2>&1 || { printf '%s' -; return; }
  { vcgencmd get_throttled 2>/dev/null || true; } | sed -n 's/^throttled=//p' | field
}

memory() {
  { cat "$system/proc/meminfo" || true; } 2>/dev/null |
    awk '$1 == "MemTotal:" { printf "%d", $2 / 1024; found = 1 } END { if (!found) printf "-" }'
}

threads=$( { (unset OMP_NUM_THREADS OMP_THREAD_LIMIT; nproc) || getconf _NPROCESSORS_ONLN; } 2>/dev/null | head -n 1)
case $threads in '' | *[!0-9]*) threads=1 ;; esac

# The document of medians. Both programs print the same rows; they take lists in different ways.
measured() {
  case $(basename "$bench") in
    nanoedge)
      counts="--threads 1"
      [ "$threads" -le 1 ] || counts="$counts --threads $threads"
      # shellcheck disable=SC2086
      "$bench" benchmark "$bundle" --engine native --engine ncnn --precision float --precision int8 --compute fp32 \
        --compute fp16 $counts --rounds "$rounds" --json
      ;;
    *)
      counts=1
      [ "$threads" -le 1 ] || counts="1,$threads"
      "$bench" "$bundle" --engine native,ncnn --precision float,int8 --compute fp32,fp16 --threads "$counts" \
        --rounds "$rounds" --json
      ;;
  esac
}

# `; engine-file-compute-threads=forward/frame` for each row.
fields_of() {
  tr '{},' '\n\n\n' | awk -F '"' '
    function print_row() {
      if (engine == "") return
      printf "; %s-%s-%s-%st=%.2f/%.2f", engine, file, compute, threads, forward, total
    }
    function number(text) { gsub(/[^0-9.eE+-]/, "", text); return text + 0 }
    $2 == "engine" { print_row(); engine = $4 }
    $2 == "precision" { file = $4 }
    $2 == "compute" { compute = $4 }
    $2 == "threads" { threads = number($3) }
    $2 == "preprocess" || $2 == "forward" || $2 == "postprocess" || $2 == "total" { stage = $2 }
    $2 == "p50" && stage == "forward" { forward = number($3) }
    $2 == "p50" && stage == "total" { total = number($3) }
    END { print_row() }
  '
}

name=$(basename "$bundle")
version=$("$bench" --version 2>/dev/null | awk 'NR == 1 { print $NF }' | field)
start_clock=$(megahertz scaling_cur_freq) start_celsius=$(celsius)
echo "measuring $name on $threads CPU(s), some minutes on a small board ..." >&2
document=$(measured) || { echo "nothing was measured: see above" >&2; exit 1; }
rows=$(printf '%s\n' "$document" | fields_of)
if [ -z "$rows" ]; then
  echo "nothing was measured: $bench printed no rows" >&2
  exit 1
fi
governor=$(field "$system/sys/devices/system/cpu/cpufreq/policy0/scaling_governor")
printf '%s' "nanoedge-board 1; board=$(board); cpu=$(cpu); memory=$(memory) MB; governor=$governor"
printf '%s' "; MHz=$start_clock to $(megahertz scaling_cur_freq) of $(megahertz cpuinfo_max_freq)"
printf '%s' "; celsius=$start_celsius to $(celsius); throttled=$(throttled); kernel=$(uname -r | field) $(uname -m)"
printf '%s\n' "; nanoedge=$version; bundle=$(printf '%s' "$name" | field); rounds=$rounds; ms=forward/frame$rows"
