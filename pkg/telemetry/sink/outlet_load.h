/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_load.h - turns records of the spool into bodies of requests. The loader does one load at a
 * time. A load first reads records from the spool. Then a job on a worker packs and compresses the records and, if the
 * border of the batch is not on disk yet, saves it. A load can also move a refused record to the dead letters; its job
 * then writes the dead letter.
 *
 * If a new batch does not use all records that the loader has read, the loader keeps the remaining records for the next
 * batch. So the loader reads each record of a backlog only once.
 *
 * Threads: loop thread only; the job runs on a worker. From the start of the job until its end, only the job uses the
 * loader's buffers. Memory: the loader owns its buffers, and passes ownership of the bodies to the sender. */
#pragma once

#include "codec/squeeze.h"
#include "telemetry/sink/outlet_send.h"

enum hf_outlet_load_state {
    HF_OUTLET_LOAD_IDLE,
    HF_OUTLET_LOAD_READING,
    HF_OUTLET_LOAD_WORKING,
    HF_OUTLET_LOAD_ENDING, /* the outlet has ended, but a worker still runs the loader's job */
};

enum hf_outlet_load_task {
    HF_OUTLET_LOAD_PLAN,        /* choose the records of a new batch and make its body */
    HF_OUTLET_LOAD_AGAIN,       /* make the body of a planned batch again */
    HF_OUTLET_LOAD_DEAD_LETTER, /* write the record of a refused batch to the dead letters */
    HF_OUTLET_LOAD_PEEK,        /* look up the time of the oldest record */
};

struct hf_outlet_loader {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes;    /* array of HF_LANES lanes, which the outlet owns */
    struct hf_outlet_sender *sender; /* the sender that receives the bodies */
    enum hf_outlet_load_state state;
    enum hf_outlet_load_task task;
    struct hf_outlet_lane *lane; /* lane of the current load, and of the records that the loader keeps */
    struct hf_batch *batch;      /* for the tasks AGAIN and DEAD_LETTER, the batch to load */
    struct hf_border range;      /* sequences to load; for the task PLAN, sequences that no batch covers yet */
    /* array of the records that the load has read; the payloads have only lengths until point_at_lines() sets their
     * pointers into `lines` */
    struct hf_spool_record *records;
    size_t n, cap;
    struct hf_buf lines; /* payloads of the records, one after the other */
    bool foreign; /* true if the records have a boundary that is not the sink's; a load has only such ones, or none */
    bool cut;     /* true if the load had no room for all records of `range` that the spool still has */
    /* sequence of the first record that the loader keeps for the next batch (0 means that it keeps none) */
    uint64_t kept_from;
    size_t kept; /* number of records that the loader keeps for the next batch */
    /* for the task PLAN, true to take the newest records of the lane, false to take the oldest records */
    bool newest;
    /* for the task PLAN, true if the new batch is planned as live while the link is closed, so that it may travel over
     * the closed link (`live` of struct hf_batch) */
    bool live;
    uint64_t dead_lettered;
    /* since when the disk does not give back the dead letters that are there; 0: it does. After HF_SPOOL_UNREADABLE_NS,
     * what cannot be read counts as damaged, because the refused record holds up the cursor. */
    uint64_t dead_unreadable_ns;
    void (*ended)(void *arg); /* the function to call, in the state ENDING, when the worker has finished the job */
    void *ended_arg;

    /* The fields from `job` to `err` belong to the job. The loop thread sets these fields before the job starts, and
     * reads them after the job ends. */
    struct hf_job job;
    struct hf_squeeze *squeeze;
    struct hf_format_packed packed;
    struct hf_borders borders;
    bool save;    /* true if the job must also save the borders */
    bool patient; /* false if unreadable dead letters count as damaged */
    uint64_t seed, unix_ns;
    int r;
    struct hf_err err;
};

void hf_outlet_load_init(struct hf_outlet_loader *loader, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, struct hf_outlet_lane *lanes,
                         struct hf_outlet_sender *sender);

/* Starts the most urgent load, if a load is due. Lowers *wait_until_ns to the monotonic time at which the next load
 * becomes due. */
void hf_outlet_load_next(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns);

/* Frees the loader's buffers, unless a load is in progress or the loader keeps records for the next batch. The next
 * load allocates the buffers again. */
void hf_outlet_load_free_idle(struct hf_outlet_loader *loader);

/* Ends the loader. The caller must close the spools of the lanes before this call. Calls ended(arg) when no worker uses
 * the loader any more; the call may come before this function returns. */
void hf_outlet_load_end(struct hf_outlet_loader *loader, void (*ended)(void *arg), void *arg);
