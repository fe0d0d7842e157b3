/* SPDX-License-Identifier: Apache-2.0 */
/* support/bare_entry.h - one entry of pkg/manifests beside a zeroed engine that never starts, on virtual time and a
 * disk in memory: for tests of the parts of an entry. Jobs run in hf_simloop_run_for(bare->loop, ...). Nothing
 * considers the entry. */
#pragma once

#include "manifests/entry.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"

#define HF_BARE_STATE "/var/lib/holdfast"
#define HF_BARE_FOLDER HF_BARE_STATE "/manifests/site"

struct hf_bare {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_simfs *fs;
    struct hf_manifest_engine engine; /* p.env has the file system, the clock and the scheduler; the rest is zero */
    struct entry *entry;              /* its name is "site" */
};

/* `json` is the entry as the policy has it; NULL: no policy has it. Aborts where that fails. */
void hf_bare_init(struct hf_bare *bare, const char *json);
void hf_bare_done(struct hf_bare *bare);

/* A sealed bundle with one file; `secret`: in memory alone, with the given id for its digest. */
struct hf_bundle *hf_bare_bundle(const char *path, const char *text, const char *secret_id);
