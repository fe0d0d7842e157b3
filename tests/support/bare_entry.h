/* SPDX-License-Identifier: Apache-2.0 */
/* support/bare_entry.h - one entry of pkg/manifests beside a zeroed engine that never starts, on virtual time and a
 * disk in memory: for tests of the parts of an entry. Jobs run in hf_simloop_run_for(bare->loop, ...). Nothing
 * considers the entry. */
#pragma once

#include "manifests/entry.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"
#include "support/fakes/simloop.h"

#define HF_BARE_STATE "/var/lib/holdfast"
#define HF_BARE_FOLDER HF_BARE_STATE "/manifests/site"
/* An entry for /etc/site; `more` are further fields, such as ",\"prune\":true". */
#define HF_BARE_FILES(more)                                                                                            \
    "{\"name\":\"site\",\"to\":\"Files\",\"path\":\"/etc/site/\",\"from\":{\"path\":\"/opt/site\"}" more "}"

struct hf_bare {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_simfs *fs;
    struct hf_simhost *host;
    struct hf_config *config;
    struct hf_manifest_engine engine; /* p.env has the file system, the clock and the scheduler; the rest is zero */
    struct entry *entry;              /* its name is "site" */
    /* what programs and units answer: 0, -errno or HF_SIMHOST_HANGS; the state is "active" at first */
    struct {
        int exec, exit_code, restart, reload, state;
        const char *active;
    } answer;
    int spawn_r; /* of programs: 0, or why they do not start */
    struct hf_proc_ops proc_ops;
    unsigned execs, restarts, reloads;
    unsigned acted[HF_MANIFEST_ACT_COUNT]; /* see hf_bare_hold() */
    unsigned told[HF_MANIFEST_NOTICE_COUNT];
    struct entry_actions actions;
};

/* `json` is the entry as the policy has it; NULL: no policy has it. Aborts where that fails. */
void hf_bare_init(struct hf_bare *bare, const char *json);
void hf_bare_done(struct hf_bare *bare);

/* Gives the node programs, units and a configuration with these lines of `manifests`: "exec: [/usr/bin/check]". */
void hf_bare_equip(struct hf_bare *bare, const char *manifests);
/* Another configuration. */
void hf_bare_allow(struct hf_bare *bare, const char *manifests);
/* The actions of rules/machine.h do nothing from now on, but count in `acted`. */
void hf_bare_hold(struct hf_bare *bare);
/* Some seconds: what has been started ends. */
void hf_bare_run(struct hf_bare *bare);

/* Makes the set of this entry and digest. */
void hf_bare_set(struct hf_manifest_set *set, const char *json, const char *digest);
/* The same with a content of one file, which goes to the disk. */
void hf_bare_store(struct hf_bare *bare, struct hf_manifest_set *set, const char *json, const char *path,
                   const char *text);
/* A sealed bundle with one file; `secret`: in memory alone, with the given id for its digest. */
struct hf_bundle *hf_bare_bundle(const char *path, const char *text, const char *secret_id);
