/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the spool into bodies, one load at a time: reads, then a job packs, compresses and saves a new border, or
 * writes a dead letter. Threads: loop thread; the job alone uses the buffers while it runs. */
#pragma once

#include "codec/squeeze.h"
#include "telemetry/sink/outlet_send.h"

enum hf_outlet_load_state {
    HF_OUTLET_LOAD_IDLE,
    HF_OUTLET_LOAD_READING,
    HF_OUTLET_LOAD_WORKING,
    HF_OUTLET_LOAD_ENDING, /* the outlet has, the job runs */
};

enum hf_outlet_load_task {
    HF_OUTLET_LOAD_PLAN,        /* a new batch */
    HF_OUTLET_LOAD_AGAIN,       /* of a planned batch */
    HF_OUTLET_LOAD_DEAD_LETTER, /* of a refused batch */
    HF_OUTLET_LOAD_PEEK,        /* time of the oldest record */
};

struct hf_outlet_loader {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes;
    struct hf_outlet_sender *sender;
    enum hf_outlet_load_state state;
    enum hf_outlet_load_task task;
    struct hf_outlet_lane *lane; /* of load and kept records */
    struct hf_batch *batch;
    struct hf_border range; /* PLAN: in no batch */
    /* Payloads have only lengths until point_at_lines(). */
    struct hf_spool_record *records;
    size_t n, cap;
    struct hf_buf lines; /* payloads in a row */
    bool foreign;        /* all have a boundary that is not the sink's; else none */
    bool cut;            /* less room than `range` needs */
    uint64_t kept_from;  /* first; 0: none */
    size_t kept;
    bool newest; /* PLAN: newest records */
    bool live;   /* PLAN: struct hf_batch's */
    uint64_t dead_lettered;
    /* Dead letters are not given back by the disk since; 0: they are. After HF_SPOOL_UNREADABLE_NS damaged: the refused
     * record holds up the cursor. */
    uint64_t dead_unreadable_ns;
    void (*ended)(void *arg); /* ENDING: the job has */
    void *ended_arg;

    /* From here to `err`: the job's while it runs. */
    struct hf_job job;
    struct hf_squeeze *squeeze;
    struct hf_format_packed packed;
    struct hf_borders borders;
    bool save;    /* borders, too */
    bool patient; /* false: unreadable dead letters are damaged */
    uint64_t seed, unix_ns;
    int r;
    struct hf_err err;
};

void hf_outlet_load_init(struct hf_outlet_loader *loader, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, struct hf_outlet_lane *lanes,
                         struct hf_outlet_sender *sender);

/* Starts the most urgent load that is due. Lowers *wait_until_ns to the next (monotonic). */
void hf_outlet_load_next(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns);

/* Unless a load runs or records are kept. */
void hf_outlet_load_free_idle(struct hf_outlet_loader *loader);

/* After the lanes' spools. ended(arg), maybe before the return: no worker uses it. */
void hf_outlet_load_end(struct hf_outlet_loader *loader, void (*ended)(void *arg), void *arg);
