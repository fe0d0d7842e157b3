/* SPDX-License-Identifier: Apache-2.0 */
/* Spooled records into bodies, one load at a time: reads, then a job packs, compresses and saves a new border, or
 * writes a dead letter. A running job alone has the buffers. */
#pragma once

#include "codec/squeeze.h"
#include "telemetry/sink/outlet_send.h"

enum hf_outlet_load_state {
    HF_OUTLET_LOAD_IDLE,
    HF_OUTLET_LOAD_READING,
    HF_OUTLET_LOAD_WORKING,
    HF_OUTLET_LOAD_ENDING, /* the outlet ends, the job runs */
};

enum hf_outlet_load_task {
    HF_OUTLET_LOAD_PLAN,
    HF_OUTLET_LOAD_AGAIN, /* planned batch */
    HF_OUTLET_LOAD_DEAD_LETTER,
    HF_OUTLET_LOAD_PEEK, /* the oldest record's time */
};

struct hf_outlet_loader {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes;
    struct hf_outlet_sender *sender;
    enum hf_outlet_load_state state;
    enum hf_outlet_load_task task;
    struct hf_outlet_lane *lane; /* of load, or kept records */
    struct hf_batch *batch;
    struct hf_border range; /* PLAN: free of batches */
    /* Only lengths until point_at_lines(). */
    struct hf_spool_record *records;
    size_t n, cap;
    struct hf_buf lines; /* payloads in a row */
    bool foreign;        /* true: all records have another boundary than the sink; false: none */
    bool cut;            /* shorter than `range` */
    uint64_t kept_from;  /* first record */
    size_t kept;
    bool newest; /* PLAN: newest first */
    bool live;   /* PLAN: for the batch */
    uint64_t dead_lettered;
    /* Dead letters are unreadable since; 0: readable. After HF_SPOOL_UNREADABLE_NS they are damaged: the refused record
     * holds up the cursor. */
    uint64_t dead_unreadable_ns;
    void (*ended)(void *arg); /* ENDING: after the job */
    void *ended_arg;

    /* From here to `err`: the job's while it runs. */
    struct hf_job job;
    struct hf_squeeze *squeeze;
    struct hf_format_packed packed;
    struct hf_borders borders;
    bool save;
    bool patient; /* false: unreadable dead letters are damaged */
    uint64_t seed, unix_ns;
    int r;
    struct hf_err err;
};

void hf_outlet_load_init(struct hf_outlet_loader *loader, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, struct hf_outlet_lane *lanes,
                         struct hf_outlet_sender *sender);

/* Starts the most urgent load that is due. Lowers *wait_until_ns to the next. */
void hf_outlet_load_next(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns);

/* Unless loading or keeping records. */
void hf_outlet_load_free_idle(struct hf_outlet_loader *loader);

/* After the lanes' spools. ended(arg), maybe before the return: no worker uses it. */
void hf_outlet_load_end(struct hf_outlet_loader *loader, void (*ended)(void *arg), void *arg);
