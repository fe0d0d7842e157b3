/* update/engine.h - the updater: brings releases on this node from one version to the next, or back.
 *
 * Give it what is desired (already selected and admitted); it journals, fetches, patches, verifies, swaps, watches health,
 * commits or rolls back, one release at a time, and says how each stands. Loop thread only. It needs no network to start,
 * to go on, to check health or to roll back. */
#pragma once

#include "api/edgeupdate.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"
#include "trust/trust.h"
#include "update/rules/phase.h"
#include "update/rules/reasons.h"
#include "web/metrics.h"

/* How one release stands; strings live until the next call into the engine. */
struct hf_update_status {
    const char *name;
    enum hf_phase phase;
    const char *version; /* of what is desired */
    uint64_t sequence;
    const char *digest;
    const char *installed;  /* version in place at install.path; "" not known */
    const char *from;       /* version before; "" unknown */
    const char *method;     /* "Delta", "Full", "" not known yet */
    uint64_t bytes_fetched; /* on the wire, this release, all attempts */
    unsigned attempts;
    const char *
        reason; /* CamelCase: "HealthPassed", "HealthDeadline", "SignatureInvalid", ... (update/rules/reasons.h lists all) */
    const char *message;   /* for a person: what, where, why, what to do; <= 256 bytes */
    uint64_t time_unix_ns; /* of the last change of phase */
    bool settled;          /* nothing more will happen until something outside changes */
};

/* One thing to bring about. */
struct hf_desired {
    struct hf_edgeupdate *update; /* borrowed for the call: the engine keeps the tree's reference */
    enum hf_desired_gate {
        HF_GATE_OPEN,
        HF_GATE_NOT_ADMITTED,
        HF_GATE_STALE, /* staleOk expired with Hold */
        HF_GATE_HELD,  /* the site said no */
    } gate; /* anything but OPEN: nothing starts; what has not come to the swap pauses before it and keeps what it
                          fetched (as with a closed window and spec.suspend); from the swap on it is brought to its end */
};

struct hf_update_params {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http; /* for artifacts: any origin, no credentials */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL; used until hf_update_engine_free() */
    const char *state_dir;      /* <state>/updates is ours */
    const char *trust_dir;
    const char *const *roots; /* allowed install roots, absolute, NULL ends */
    const char *arch;         /* "amd64", "arm64", ... */
    bool pod_mode; /* what a pod cannot do is refused by name (restart.exec, health exec, devices without host_root) */
    const char *host_root; /* pod mode: where the host's file system is seen, NULL: "/" */
    const char *self_unit; /* our own unit, NULL none: an update of ourselves is not restarted twice */
    uint64_t retry_base_ns, retry_cap_ns;
    /* What this node has, for `requires`: 0 and NULL, or -EOPNOTSUPP with what is missing in *err. */
    int (*meets)(void *arg, const struct hf_requires *requires_, struct hf_err *err);
    /* Something in hf_update_engine_each() changed; not called inside a call into the engine. */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_update_engine;

/* Strings and `roots` are copied; the tables and `log` must outlive the loop that runs the jobs. Takes <state>/updates/lock:
 * -EWOULDBLOCK when another process works there.
 * Reads the journals and goes on where the last life ended: effects start with the next turn of the loop. A damaged journal is
 * set aside and reported in that release's status. */
HF_MUST_USE int hf_update_engine_new(const struct hf_update_params *params, struct hf_update_engine **ret_engine,
                                     struct hf_err *err);
/* Nothing new begins, and downloads end so that all that came is on disk for good: a node is told to shut down. It is done when
 * hf_update_engine_quiesced() says so, of which `changed` tells; freeing before that is allowed and costs at most what a kill costs. */
void hf_update_engine_quiesce(struct hf_update_engine *engine);
bool hf_update_engine_quiesced(const struct hf_update_engine *engine);
void hf_update_engine_free(struct hf_update_engine *engine); /* stops effects; state on disk stays resumable */
HF_DEFINE_CLEANUP(struct hf_update_engine, hf_update_engine_free)

/* The whole desired set, one per release name (the caller resolved Superseded). A release that is no longer desired: not
 * started: forgotten; in progress before Swapping: abandoned and cleaned up; later: brought to its end; committed: left.
 * To be called again now and then (each `interval`) also when nothing changed: keys are read again. */
HF_MUST_USE int hf_update_engine_set(struct hf_update_engine *engine, const struct hf_desired *desired, size_t n,
                                     struct hf_err *err);
/* Look at what was committed (call each `interval`): when somebody changed or removed its content, it is put back at once
 * (Drifted), judged like any other update: when its checks fail, what was found is put back. Only who changes it again soon
 * after a repair is met later: not before a minute, then two, four, ... */
void hf_update_engine_check_drift(struct hf_update_engine *engine);
void hf_update_engine_set_retry(struct hf_update_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* Visit every release that is desired or has a history. One that no object wants comes last, without method and counters. */
void hf_update_engine_each(struct hf_update_engine *engine,
                           void (*visit)(void *arg, const struct hf_update_status *status), void *arg);
