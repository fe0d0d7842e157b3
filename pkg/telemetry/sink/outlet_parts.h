/* telemetry/sink/outlet_parts.h - what the files of the outlet share; nobody else includes it.
 *
 *   outlet.c        life, append, dropped counts, state, metrics
 *   outlet_load.c   from the spool to a body: read, pack, save borders; dead letters
 *   outlet_send.c   from a body to the sink: when, how many, what the answer means
 *   outlet_creds.c  certificates, token, device key, read again when they change */
#pragma once

#include "telemetry/format/format.h"
#include "telemetry/sink/aimd.h"
#include "telemetry/sink/batch.h"
#include "telemetry/sink/breaker.h"
#include "telemetry/sink/outlet.h"

enum {
    HF_OUTLET_READ_RECORDS = 4096,
    HF_OUTLET_LINES_MAX = 2 << 20, /* one read of the spool, and what is left of the one before */
    HF_OUTLET_PATH = 512,
    HF_OUTLET_URL = 2048,
    HF_OUTLET_TAGS = 64,
};

struct lane {
    struct hf_outlet *outlet;
    enum hf_lane which;
    struct hf_spool *spool;
    struct hf_border_file file;
    struct hf_batches batches;
    uint64_t backlog_until;   /* sequences from before the start: go at once */
    uint64_t fresh_bytes;     /* appended and not planned yet, about */
    uint64_t due_ns;          /* when a batch goes that is not full; HF_NEVER: nothing waits */
    uint64_t oldest_unix_ns;  /* of what is not planned yet; 0 not known or nothing */
    uint64_t broken_until_ns; /* reading or saving failed: not before */
    bool peeked;              /* the oldest one's time was looked up */
    uint64_t refused_before;  /* appends that found the disk's share used up (Block), when there was last hope */
    uint64_t durable_before;  /* cursor on disk, at that time */
};

/* A body on its way. */
struct sending {
    struct hf_list link;
    struct lane *lane;
    struct hf_batch *batch;
    struct hf_format_packed packed;
    size_t part; /* under way */
    uint64_t records, raw_bytes;
    uint64_t middle; /* where to split: last sequence of the first half; 0: it is one record */
    uint64_t oldest_unix_ns;
    uint64_t began_ns; /* of this part's request */
    size_t sent_bytes; /* its body */
    struct hf_http_call *call;
};

enum load_state { LOAD_IDLE, LOAD_READING, LOAD_WORKING };
enum load_task { LOAD_PLAN, LOAD_AGAIN, LOAD_BURY, LOAD_PEEK };

/* The one load under way: records from the spool, then a worker's job. */
struct load {
    struct hf_job job;
    enum load_state state;
    enum load_task task;
    struct lane *lane;               /* also whose records are kept */
    struct hf_batch *batch;          /* AGAIN, BURY */
    struct hf_border range;          /* wanted; PLAN: the gap */
    struct hf_spool_record *records; /* payloads: offsets into lines until pointed at */
    size_t n, cap;
    struct hf_buf lines;
    uint64_t kept_from; /* sequence that records[0] continues at; 0: nothing kept */
    size_t kept;        /* records left over from the last plan */
    /* the worker's */
    struct hf_squeeze *squeeze;
    struct hf_format_packed packed;
    struct hf_borders borders;
    bool save;
    bool newest; /* PLAN: of the end, not of the beginning */
    uint64_t seed, unix_ns;
    int r;
    struct hf_err err;
};

struct drops {
    struct hf_spool_dropped tags[HF_OUTLET_TAGS];
    size_t n;
};

/* Series are found by their labels once: that makes a text of them, too much for each turn. */
struct outlet_metrics {
    struct hf_metric_family *attempts, *dead, *dropped; /* by what else is known then */
    struct hf_metric *events, *bytes, *batches, *deferred, *rejected;
    struct hf_metric_family *of_lane[3], *of_sink[3]; /* of the gauges, which go with the sink */
    struct {
        struct hf_metric *queue_bytes, *disk_bytes, *queue_records, *sync;
    } lanes[HF_LANES];
    struct hf_metric *oldest, *breaker, *at_once;
};

struct hf_outlet {
    struct hf_telemetry_world world;
    const struct hf_telemetry *spec;
    const struct hf_telemetry_sink *sink;
    void (*room)(void *arg);
    void *arg;
    char *name, *dir, *url, *node;
    struct hf_format format;
    struct hf_retry_rules rules;
    uint64_t timeout_ns; /* of a request */
    struct lane lanes[HF_LANES];
    struct load load;
    struct hf_list sendings; /* READY and SENDING */
    size_t n_ready, n_sending;
    uint64_t bytes_sending;
    struct hf_breaker_state breaker;
    struct hf_aimd pace;
    uint64_t last_success_ns; /* mono; 0 none yet */
    uint64_t quiet_until_ns;  /* Retry-After of the whole sink */
    unsigned buried_in_a_row; /* without a delivery in between */
    uint64_t unwell_first;    /* first sequence of the batch that last made the sink fail by itself; 0 none */
    enum hf_lane unwell_lane;
    struct hf_suspects suspects;
    bool try_another;                /* the last probe failed so: another batch is the next one */
    struct hf_retry_round suspicion; /* pauses for a sink that refuses everything */
    struct hf_timer *tick;
    uint64_t idle_since_ns; /* 0: not idle */
    bool rested;            /* and everything is given back */
    struct drops drops;
    uint64_t drops_due_ns; /* HF_NEVER: none to tell */
    size_t spools_closing;
    void (*gone)(void *arg); /* when it is freed */
    void *gone_arg;
    bool want_room, closing, pumping, again;
    struct outlet_creds *creds;
    const struct hf_http_ops *http; /* NULL: not to be had now */
    uint64_t delivered, deferred, dead_lettered, attempts, failures, rejected;
    char trouble[192];
    struct outlet_metrics metrics;
};

#define HF_OUTLET_URGENT_WAIT_NS HF_NS_PER_S   /* for a batch of the urgent lane to fill */
#define HF_OUTLET_OUTAGE_NS (60 * HF_NS_PER_S) /* without any delivery: the newest urgent ones go first */
#define HF_OUTLET_BROKEN_NS (5 * HF_NS_PER_S)  /* until a failed read or save is tried again */

/* ---- outlet.c */
void hf_outlet_pump(struct hf_outlet *outlet); /* do whatever can be done now; may be called from anywhere */
void hf_outlet_trouble(struct hf_outlet *outlet, const char *format, ...) HF_PRINTF(2, 3);
void hf_outlet_free_when_quiet(struct hf_outlet *outlet);
void hf_outlet_tell_change(const struct hf_outlet *outlet); /* world.changed */
uint64_t hf_outlet_wait_ns(const struct lane *lane);        /* how long a batch waits to become full */
uint64_t hf_outlet_durable(const struct lane *lane);        /* last sequence that may be read */

/* ---- outlet_load.c */
/* Start the load that is most wanted, if any. *wait_until_ns (never raised): when to ask again. */
void hf_outlet_load_next(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns);
void hf_outlet_load_done(struct hf_outlet *outlet); /* frees its memory; LOAD_IDLE or closing */
void hf_outlet_load_rest(struct hf_outlet *outlet); /* nothing to do: frees what only speeds things up */

/* ---- outlet_send.c */
void hf_outlet_send_ready(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns);
bool hf_outlet_may_send(struct hf_outlet *outlet, uint64_t now_ns, uint64_t *wait_until_ns);
void hf_outlet_sendings_done(struct hf_outlet *outlet);
/* Batches in lane order of what they say; the sink refuses this one: split it or bury it. */
void hf_outlet_refuse_batch(struct hf_outlet *outlet, struct hf_batch *batch, uint64_t middle, const char *reason,
                            uint64_t now_ns, struct lane *lane);

/* ---- outlet_creds.c */
struct outlet_creds *hf_outlet_creds_new(const struct hf_outlet_params *params, const char *url, struct hf_err *err);
void hf_outlet_creds_free(struct outlet_creds *creds);
/* Look at the files again when it is time to. The client to use, or NULL with *err: they cannot be used now. */
const struct hf_http_ops *hf_outlet_creds_http(struct outlet_creds *creds, uint64_t now_ns, struct hf_err *err);
/* "X-Device-Key: ..." or NULL. */
const char *hf_outlet_creds_device_key(const struct outlet_creds *creds);
/* Connections are closed; the next request makes one. */
void hf_outlet_creds_rest(struct outlet_creds *creds);
/* They changed since the last call. */
bool hf_outlet_creds_changed(struct outlet_creds *creds);
