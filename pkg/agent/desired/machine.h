/* agent/desired/machine.h - measures the machine under this node: its facts, and how full its file systems are.
 * Threads: loop thread only; the functions block while they read a few small files. */
#pragma once

#include "agent/env.h"
#include "node/disk.h"
#include "node/facts.h"
#include "node/meets.h"

enum { HF_MACHINE_MAX_DISKS = 8 };

struct hf_machine {
    const struct hf_agent_env *env;
    struct hf_facts facts;
    /* Level of each disk. Disk 0 holds the state folder, and disk i holds update root i - 1. */
    enum hf_disk_level disk_levels[HF_MACHINE_MAX_DISKS];
    unsigned disk_used[HF_MACHINE_MAX_DISKS]; /* used space of each disk, in percent */
};

void hf_machine_init(struct hf_machine *machine, const struct hf_agent_env *env);
void hf_machine_done(struct hf_machine *machine);

/* Reads facts and disks again, and logs each disk whose level has changed. A fact becomes unknown if its file cannot be
 * read. If memory runs out, all facts keep their values. */
void hf_machine_read(struct hf_machine *machine);

/* Returns a folder on disk i; statfs() of this folder measures the disk. Returns NULL if there is no disk i. The
 * comment of disk_levels lists the disks. */
const char *hf_machine_disk(const struct hf_machine *machine, size_t i);

/* Checks if this node has everything that an artifact requires. Returns 0, or -EOPNOTSUPP with the list of missing
 * resources in *err. */
int hf_machine_meets(struct hf_machine *machine, const struct hf_requires *requires_, struct hf_err *err);
