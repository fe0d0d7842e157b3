/* telemetry/sink/outlet_load.h - turns records of the spool into bodies, one load at a time: a read of the spool, then
 * a worker's job that packs the records, compresses them and, for a batch that was never sent, saves its borders. Dead
 * letters go the same way.
 *
 * A plan leaves the records that it read and did not use to the next plan, so the loader reads a backlog only once.
 *
 * Threads: loop thread only; the job runs on a worker and has the loader to itself until job_done().  Memory: owns its
 * buffers; gives bodies to the sender. */
#pragma once

#include "codec/squeeze.h"
#include "telemetry/sink/outlet_send.h"

enum hf_outlet_load_state {
    HF_OUTLET_LOAD_IDLE,
    HF_OUTLET_LOAD_READING,
    HF_OUTLET_LOAD_WORKING,
    HF_OUTLET_LOAD_ENDING, /* the outlet is gone, but a worker still has the job */
};

enum hf_outlet_load_task {
    HF_OUTLET_LOAD_PLAN,        /* the first body of a new batch */
    HF_OUTLET_LOAD_AGAIN,       /* another body of a planned batch */
    HF_OUTLET_LOAD_DEAD_LETTER, /* the record of a refused batch */
    HF_OUTLET_LOAD_PEEK,        /* the time of the oldest record */
};

struct hf_outlet_loader {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes;    /* array of HF_LANES lanes, which the outlet owns */
    struct hf_outlet_sender *sender; /* receives the bodies */
    enum hf_outlet_load_state state;
    enum hf_outlet_load_task task;
    struct hf_outlet_lane *lane;     /* lane of the load and of the kept records */
    struct hf_batch *batch;          /* AGAIN, DEAD_LETTER */
    struct hf_border range;          /* sequences to load; PLAN: a run that no batch covers yet */
    struct hf_spool_record *records; /* until point_at_lines() sets the pointers, the payloads have only lengths */
    size_t n, cap;
    struct hf_buf lines; /* the payloads, one behind the other */
    uint64_t kept_from;  /* sequence at which a plan can continue with the kept records; 0: none */
    size_t kept;         /* records that the last plan left over */
    bool newest;         /* PLAN: take the newest records of the lane, not the oldest */
    uint64_t dead_lettered;
    void (*ended)(void *arg); /* ENDING: call when the worker has finished */
    void *ended_arg;

    /* The job: set before it starts, read after it ends. */
    struct hf_job job;
    struct hf_squeeze *squeeze;
    struct hf_format_packed packed;
    struct hf_borders borders;
    bool save; /* the job has to save the borders, too */
    uint64_t seed, unix_ns;
    int r;
    struct hf_err err;
};

void hf_outlet_load_init(struct hf_outlet_loader *loader, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, struct hf_outlet_lane *lanes,
                         struct hf_outlet_sender *sender);

/* Starts the most urgent load, if there is one. Lowers *wait_until_ns to the time of the next one. */
void hf_outlet_load_next(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns);

/* Frees the buffers while there is no work; the next load allocates them again. */
void hf_outlet_load_free_idle(struct hf_outlet_loader *loader);

/* Ends the loader after its spools have ended. Calls ended(arg), perhaps at once, when no worker uses it any more. */
void hf_outlet_load_end(struct hf_outlet_loader *loader, void (*ended)(void *arg), void *arg);
