/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_load.h - turns records of the spool into bodies of requests, one load at a time.
 *
 * A load reads records; a job on a worker then packs and compresses them and saves a new border, or writes a dead
 * letter. Threads: loop thread; while the job runs, only it uses the buffers. */
#pragma once

#include "codec/squeeze.h"
#include "telemetry/sink/outlet_send.h"

enum hf_outlet_load_state {
    HF_OUTLET_LOAD_IDLE,
    HF_OUTLET_LOAD_READING,
    HF_OUTLET_LOAD_WORKING,
    HF_OUTLET_LOAD_ENDING, /* the outlet has ended, but the job still runs */
};

enum hf_outlet_load_task {
    HF_OUTLET_LOAD_PLAN,        /* a new batch */
    HF_OUTLET_LOAD_AGAIN,       /* the body of a planned batch */
    HF_OUTLET_LOAD_DEAD_LETTER, /* the record of a refused batch */
    HF_OUTLET_LOAD_PEEK,        /* look up the time of the oldest record */
};

struct hf_outlet_loader {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes;
    struct hf_outlet_sender *sender;
    enum hf_outlet_load_state state;
    enum hf_outlet_load_task task;
    struct hf_outlet_lane *lane; /* for the load and the kept records */
    struct hf_batch *batch;
    struct hf_border range; /* for PLAN: sequences of no batch */
    /* Payloads have only lengths until point_at_lines() sets their pointers into `lines`. */
    struct hf_spool_record *records;
    size_t n, cap;
    struct hf_buf lines; /* payloads, one after the other */
    bool foreign;        /* all records have a boundary that is not the sink's; otherwise none has */
    bool cut;            /* no room for all of `range` that the spool has */
    uint64_t kept_from;  /* first kept record; 0: none */
    size_t kept;
    bool newest; /* PLAN: take the newest records */
    bool live;   /* PLAN: `live` of struct hf_batch */
    uint64_t dead_lettered;
    /* Since when the disk does not give back the dead letters; 0: it does. After HF_SPOOL_UNREADABLE_NS they are
     * treated as damaged, because the refused record holds up the cursor. */
    uint64_t dead_unreadable_ns;
    void (*ended)(void *arg); /* in ENDING, when the job has ended */
    void *ended_arg;

    /* From here to `err`: the job's; the loop thread writes before it starts and reads after it ends. */
    struct hf_job job;
    struct hf_squeeze *squeeze;
    struct hf_format_packed packed;
    struct hf_borders borders;
    bool save;    /* also the borders */
    bool patient; /* false: treat unreadable dead letters as damaged */
    uint64_t seed, unix_ns;
    int r;
    struct hf_err err;
};

void hf_outlet_load_init(struct hf_outlet_loader *loader, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, struct hf_outlet_lane *lanes,
                         struct hf_outlet_sender *sender);

/* Starts the most urgent load that is due. Lowers *wait_until_ns to the next (monotonic). */
void hf_outlet_load_next(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns);

/* Frees buffers unless a load runs or records are kept. */
void hf_outlet_load_free_idle(struct hf_outlet_loader *loader);

/* Close the lanes' spools first. Calls ended(arg), perhaps before returning, when no worker uses the loader. */
void hf_outlet_load_end(struct hf_outlet_loader *loader, void (*ended)(void *arg), void *arg);
