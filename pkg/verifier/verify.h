/* SPDX-License-Identifier: Apache-2.0 */
/* One pull that containerd asks about, by the interface of its image verifiers: `-name NAME -digest DIGEST
 * -stdin-media-type TYPE`, exit code 0 allows it, standard output is the reason. Libc only. */
#pragma once

#include "verifier/image_list.h"

#define HF_VERIFY_STATE_DIR "/var/lib/holdfast"
#define HF_VERIFY_RUN_DIR "/run/holdfast"
#define HF_VERIFY_LIST "images/allowed"      /* below the state folder */
#define HF_VERIFY_REFUSALS "images/refusals" /* below the run folder */

/* Beyond it nothing is added until the agent has taken the file away: who asks for images all day fills no memory. */
enum { HF_VERIFY_MAX_REFUSALS = 16 << 10, HF_VERIFY_NAME = 256 };

/* A line "<Unix time> <digest> <verdict> <name>", with '?' for what is not printable or a blank. Returns its length. */
size_t hf_verify_line(char *line, size_t n, uint64_t now_s, const char *digest, enum hf_image_verdict verdict,
                      const char *name);

/* Judges, prints the reason to standard output, appends a refusal. `run_dir` need not exist. Returns the exit code. */
int hf_verify(const char *state_dir, const char *run_dir, const char *name, const char *digest);
