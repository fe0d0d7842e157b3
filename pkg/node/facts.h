/* SPDX-License-Identifier: Apache-2.0 */
/* Reads facts about this machine in /proc, /sys, /dev. Unreadable facts are unknown ("", 0, NULL). Blocks briefly. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/macros.h"
#include "node/storage.h"

struct hf_facts {
    char arch[16];   /* as in kubernetes.io/arch */
    char kernel[96]; /* "6.1.0-18-arm64" */
    char gpu[32];    /* "nvidia", "amd", "intel", or a driver, "v3d" */
    char tpm[8];     /* "2", or "1" (also if the version is unknown) */
    uint64_t memory_bytes;
    unsigned cpus; /* also those offline */
    enum hf_storage storage;
    char *cpu_features; /* " a b c ", mostly of /proc/cpuinfo */
};

struct hf_facts_params {
    const struct hf_fs_ops *fs;
    const char *root;                  /* see node/probe.h */
    const char *arch;                  /* NULL: this program's */
    unsigned state_major, state_minor; /* st_dev of the state folder, or 0 */
};

/* Returns this program's architecture, even on a kernel with another. */
const char *hf_facts_build_arch(void);

HF_MUST_USE int hf_facts_read(const struct hf_facts_params *params, struct hf_facts *ret_facts);
void hf_facts_done(struct hf_facts *facts);

/* Whether `now` lacks a fact of every machine that `before` has, because a file was unreadable. */
bool hf_facts_has_gaps(const struct hf_facts *now, const struct hf_facts *before);

bool hf_facts_has_cpu(const struct hf_facts *facts, const char *feature);

/* Returns the 3C class (a label): the first that fits of
 *
 *   compute       a GPU, or at least 4 CPUs and 3.5 GiB
 *   compliance    a TPM
 *   connectivity  all else */
const char *hf_facts_class(const struct hf_facts *facts);
