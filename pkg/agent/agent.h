/* agent/agent.h - the node agent, put together from its parts: what is known, what shall be, what is said of it.
 *
 *        source --> follow --> objects --> (plan) --> update engine
 *           ^          |                                 | changed
 *           |          `--> diskq --> cache              v
 *           `------------- report <------- status <--- turn
 *
 * Everything that happens marks something as due and asks for a turn; a turn (next round of the loop) judges staleness and
 * hold, makes the plan, hands it to the engine, builds the status and says when the next turn must come. So the order of
 * events does not matter, and what a turn did can be done again. One timer; nothing is polled.
 *
 * hf_agent_new() loads the cache and the engine's journals and acts on them: no packet is waited for. Loop thread only. */
#pragma once

#include "agent/home.h"
#include "api/syncpolicy.h"
#include "base/rand.h"
#include "kube/source.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"
#include "node/clock.h"
#include "web/metrics.h"

struct hf_agent_params {
    struct hf_home *home; /* borrowed, open; gives the file system and the clock */
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_source_ops *source;
    bool source_echoes; /* what we write comes back through a subscription: a delivery is believed when it did */
    bool
        status_apart; /* it goes to another server than the one that is read: contact with that one decides (kube/split.h) */
    const struct hf_http_ops *http; /* for artifacts: any origin, no credentials */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL; not to be formatted any more once the agent is freed */
    const char *node_name;
    const char *version; /* of this program */
    const char *trust_dir;
    const char *const *roots; /* NULL ends */
    const char *arch;         /* NULL: what this program was built for */
    const char *facts_root;   /* see node/probe.h; "" on a real node */
    bool pod_mode;
    bool once;             /* it ends when everything is settled, and nobody is to expect more of it */
    const char *host_root; /* pod mode: where the host's files are seen; NULL "/" */
    const char *own_unit;  /* the systemd unit this is; NULL none */
    uint64_t retry_base_ns;
    enum hf_clock_ntp (*ntp)(void); /* hf_clock_ntp_read on a real node */
    /* The policy in effect, or the labels of the node, may have changed (also at start): limits that others keep. `labels` is an
     * object of strings. May be NULL. */
    void (*policy_changed)(void *arg, const struct hf_syncpolicy *policy, const json_t *labels);
    /* Where each status is kept for local readers too: a file on a file system in memory, since it is written at each interval. NULL:
     * nowhere. */
    const char *run_path;
    /* What a status says of telemetry, asked for when one is written: a new object, NULL nothing. May be NULL. */
    json_t *(*telemetry)(void *arg);
    /* Called at most once, when everything desired is settled and told (see hf_agent_result), or when it cannot be read: the folder
     * of objects is not there. May be NULL. */
    void (*settled)(void *arg);
    /* hf_agent_stop() is done: everything that waited is on the disk. */
    void (*stopped)(void *arg);
    void *arg;
};

struct hf_agent;

/* Strings and tables of params are borrowed. */
HF_MUST_USE int hf_agent_new(const struct hf_agent_params *params, struct hf_agent **ret_agent, struct hf_err *err);
void hf_agent_free(struct hf_agent *agent); /* at once, as a crash would; see hf_agent_stop() */
HF_DEFINE_CLEANUP(struct hf_agent, hf_agent_free)

enum hf_agent_stop {
    HF_AGENT_STOP_TOLD, /* told to stop: the last status says so, and nobody takes the one before for news */
    HF_AGENT_STOP_DONE, /* it has done what it was started for: its last status stands */
};

/* Write down what a next start wants to know (resume points, last contact, sequence), say the last word where that takes no longer
 * than 2 s, then call `stopped`. Effects of the update engine go on until the agent is freed. */
void hf_agent_stop(struct hf_agent *agent, enum hf_agent_stop why);

/* Read <state>/hold again: something changed it. */
void hf_agent_look_at_hold(struct hf_agent *agent);

/* Telemetry changed materially (a breaker, a dead letter): report it before the next heartbeat. */
void hf_agent_telemetry_changed(struct hf_agent *agent);

/* Heard from the source at least once in this life, or acting on a cache from before. */
bool hf_agent_ready(const struct hf_agent *agent);

/* Why the source gives us no desired state though it is in reach: what to do about it; NULL: it does, or is out of reach. */
const char *hf_agent_source_trouble(const struct hf_agent *agent);

/* 0: every selected update is Committed or Incompatible; 1: not, or the folder of objects cannot be read. */
int hf_agent_result(const struct hf_agent *agent);
