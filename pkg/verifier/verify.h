/* SPDX-License-Identifier: Apache-2.0 */
/* Judges a pull for containerd, which passes `-name NAME -digest DIGEST -stdin-media-type TYPE`. Exit code 0 allows the
 * pull, standard output says why. */
#pragma once

#include "verifier/image_list.h"

#define HF_VERIFY_STATE_DIR "/var/lib/holdfast"
#define HF_VERIFY_RUN_DIR "/run/holdfast"
#define HF_VERIFY_LIST "images/allowed"      /* in the state folder */
#define HF_VERIFY_REFUSALS "images/refusals" /* in the run folder */

/* bytes of refusals that wait for the agent; further refusals are dropped */
enum { HF_VERIFY_MAX_REFUSALS = 16 << 10, HF_VERIFY_NAME = 256 };

/* Formats "<Unix time> <digest> <verdict> <name>", with '?' for blanks and the unprintable, long words cut.
 * Returns its length, or 0 if beyond `n`. */
size_t hf_verify_line(char *line, size_t n, uint64_t now_s, const char *digest, enum hf_image_verdict verdict,
                      const char *name);

/* Judges a pull, prints why, appends a refusal. `run_dir` may be missing. Returns the exit code. */
int hf_verify(const char *state_dir, const char *run_dir, const char *name, const char *digest);
