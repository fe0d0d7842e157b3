/* telemetry/sink/outlet_load.h - turns records of the spool into bodies of requests, in one load at a time. A load
 * reads the spool; then a worker's job packs and compresses the records and, for a batch that was never sent, saves its
 * borders. A load can also move a record to the dead letters; the worker's job then writes the dead letter.
 *
 * If a new batch does not use all records that the loader has read, the loader keeps the remaining records for the next
 * batch. So it reads each record of a backlog only once.
 *
 * Threads: loop thread only; the job runs on a worker, and until job_done() only the job uses the loader's buffers.
 * Memory: the loader owns its buffers, and passes the ownership of bodies to the sender. */
#pragma once

#include "codec/squeeze.h"
#include "telemetry/sink/outlet_send.h"

enum hf_outlet_load_state {
    HF_OUTLET_LOAD_IDLE,
    HF_OUTLET_LOAD_READING,
    HF_OUTLET_LOAD_WORKING,
    HF_OUTLET_LOAD_ENDING, /* the outlet has ended, but a worker still runs the job */
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
    struct hf_outlet_sender *sender; /* receives the bodies */
    enum hf_outlet_load_state state;
    enum hf_outlet_load_task task;
    struct hf_outlet_lane *lane; /* lane of the current load, and of the kept records */
    struct hf_batch *batch;      /* tasks AGAIN and DEAD_LETTER: the batch to load */
    struct hf_border range;      /* sequences to load; task PLAN: sequences that no batch covers yet */
    /* the payloads have only lengths until point_at_lines() sets their pointers into `lines` */
    struct hf_spool_record *records;
    size_t n, cap;
    struct hf_buf lines; /* the payloads, one after the other */
    uint64_t kept_from;  /* sequence of the first kept record, at which the next plan can continue (0 means none) */
    size_t kept;         /* number of records that the last plan read and did not use */
    bool newest;         /* task PLAN: take the newest records of the lane, instead of the oldest */
    uint64_t dead_lettered;
    void (*ended)(void *arg); /* state ENDING: called when the worker has finished */
    void *ended_arg;

    /* These fields belong to the job. The loop sets them before the job starts, and reads them after the job ends. */
    struct hf_job job;
    struct hf_squeeze *squeeze;
    struct hf_format_packed packed;
    struct hf_borders borders;
    bool save; /* true if the job also has to save the borders */
    uint64_t seed, unix_ns;
    int r;
    struct hf_err err;
};

void hf_outlet_load_init(struct hf_outlet_loader *loader, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, struct hf_outlet_lane *lanes,
                         struct hf_outlet_sender *sender);

/* Starts the most urgent load, if any load is due. Lowers *wait_until_ns to the time when the next load becomes due. */
void hf_outlet_load_next(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns);

/* Frees the buffers; call this while there is no work. The next load allocates them again. */
void hf_outlet_load_free_idle(struct hf_outlet_loader *loader);

/* Ends the loader; close its spools first. Calls ended(arg) when no worker uses the loader any more, which may be
 * before this function returns. */
void hf_outlet_load_end(struct hf_outlet_loader *loader, void (*ended)(void *arg), void *arg);
