/* SPDX-License-Identifier: Apache-2.0 */
/* Makes bodies of spooled records, one load at a time: reads them, then a job packs and compresses them and saves the
 * border, or writes dead letters. While the job runs, only it uses the buffers. */
#pragma once

#include "codec/squeeze.h"
#include "telemetry/sink/outlet_send.h"

enum hf_outlet_load_state {
    HF_OUTLET_LOAD_IDLE,
    HF_OUTLET_LOAD_READING,
    HF_OUTLET_LOAD_WORKING,
    HF_OUTLET_LOAD_ENDING, /* the outlet ends while the job runs */
};

enum hf_outlet_load_task {
    HF_OUTLET_LOAD_PLAN,
    HF_OUTLET_LOAD_AGAIN, /* body of a planned batch */
    HF_OUTLET_LOAD_DEAD_LETTER,
    HF_OUTLET_LOAD_PEEK,
};

struct hf_outlet_loader {
    const struct hf_outlet_config *config;
    const struct hf_outlet_metrics *metrics;
    struct hf_outlet_lane *lanes;
    struct hf_outlet_sender *sender;
    enum hf_outlet_load_state state;
    enum hf_outlet_load_task task;
    struct hf_outlet_lane *lane;
    struct hf_batch *batch;
    struct hf_border range;
    struct hf_spool_record *records;
    size_t n, cap;
    struct hf_buf lines;
    bool foreign; /* all records to send have a boundary that the sink lacks; false: none has */
    bool cut;     /* not all of `range` was read */
    uint64_t kept_from;
    size_t kept;
    bool newest;
    bool live;
    uint64_t dead_lettered;
    /* Since when the dead letters are unreadable; 0: not so. After HF_SPOOL_UNREADABLE_NS they count as damaged. */
    uint64_t dead_unreadable_ns;
    void (*ended)(void *arg);
    void *ended_arg;

    /* From here to `err`: only the job uses these while it runs. */
    struct hf_job job;
    struct hf_squeeze *squeeze;
    struct hf_format_packed packed;
    struct hf_borders borders;
    bool save;
    bool patient; /* false: unreadable dead letters count as damaged */
    uint64_t seed, unix_ns;
    int r;
    struct hf_err err;
};

void hf_outlet_load_init(struct hf_outlet_loader *loader, const struct hf_outlet_config *config,
                         const struct hf_outlet_metrics *metrics, struct hf_outlet_lane *lanes,
                         struct hf_outlet_sender *sender);

/* Starts the most urgent load that is due. Lowers *wait_until_ns to the time of the next load. */
void hf_outlet_load_next(struct hf_outlet_loader *loader, uint64_t now_ns, uint64_t *wait_until_ns);

void hf_outlet_load_free_idle(struct hf_outlet_loader *loader);

/* Ends the loader; close the lanes' spools before. Calls ended(arg), maybe before it returns, once no worker uses the
 * loader. */
void hf_outlet_load_end(struct hf_outlet_loader *loader, void (*ended)(void *arg), void *arg);
