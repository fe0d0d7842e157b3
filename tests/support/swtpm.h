/* SPDX-License-Identifier: Apache-2.0 */
/* support/swtpm.h - a TPM 2 in software, and holdfast-tpm of this build, for tests. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct swtpm {
    char folder[64], tcti[128]; /* folder: its seeds and its socket, made by _start, removed by _end */
    pid_t pid;
};

/* False: swtpm or holdfast-tpm is not there; the test says so and ends. Sets hf_tpm_key_provide(). */
bool swtpm_start(struct swtpm *tpm);
/* With the same seeds, as after a reboot. */
void swtpm_restart(struct swtpm *tpm);
/* Another TPM from now on: a cloned disk in another machine. */
void swtpm_replace(struct swtpm *tpm);
void swtpm_end(struct swtpm *tpm);
