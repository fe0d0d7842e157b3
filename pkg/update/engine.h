/* update/engine.h - the updater: brings releases on this node from one version to the next, or back.
 *
 * The caller passes the desired releases, already selected and admitted. For each, one at a time, the engine fetches,
 * patches, verifies, swaps and checks the service, then commits or rolls back, and reports the status. It journals
 * every step and needs no network to start, to resume, to check health or to roll back.
 *
 * Threads: loop thread only; blocking work runs in jobs. Memory: the engine copies what it keeps. Errors: 0 or -errno
 * with *err (may be NULL); a failing update is a status, never an error of these functions. */
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

/* The status of one release. Its strings live until the next call into the engine. */
struct hf_update_status {
    const char *name;
    enum hf_phase phase;
    const char *version; /* desired version */
    uint64_t sequence;
    const char *digest;
    const char *installed;  /* version at install.path; "" unknown */
    const char *from;       /* version that was installed before; "" unknown */
    const char *method;     /* "Delta", "Full"; "" not chosen yet */
    uint64_t bytes_fetched; /* bytes fetched over the network for this release, in all attempts */
    unsigned attempts;
    const char *reason;    /* "HealthPassed", "SignatureInvalid", ...: update/rules/reasons.h lists all */
    const char *message;   /* what happened, where, why, what to do; <= 256 bytes */
    uint64_t time_unix_ns; /* time of the last change of phase */
    bool settled;          /* nothing more happens until something outside the engine changes */
};

/* A release that the caller wants, and whether it may start. */
struct hf_desired {
    struct hf_edgeupdate *update; /* borrowed for the call; the engine keeps a reference to its tree */
    enum hf_desired_gate {
        HF_GATE_OPEN,
        HF_GATE_NOT_ADMITTED,
        HF_GATE_STALE, /* staleOk.window is over, and its action is Hold */
        HF_GATE_HELD,  /* the site's own order holds it */
    } gate;
    /* Unless the gate is OPEN, nothing starts, and an update before its swap pauses and keeps its download (as with a
     * closed window or spec.suspend). From the swap on the update runs to its end. */
};

struct hf_update_params {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http; /* downloads artifacts: any server, without credentials */
    const struct hf_proc_ops *proc;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL; used until hf_update_engine_free() */
    const char *state_dir;      /* the engine owns <state_dir>/updates */
    const char *trust_dir;
    const char *const *roots; /* releases install below one of these folders only; absolute, NULL ends */
    const char *arch;         /* "amd64", "arm64", ... */
    bool pod_mode;            /* refuse what a pod cannot do: restart.exec, health exec, devices without host_root */
    const char *host_root;    /* pod mode: mount point of the host's file system; NULL: "/" */
    const char *self_unit;    /* the agent's own unit, which an update must not restart twice; NULL none */
    uint64_t retry_base_ns, retry_cap_ns;
    /* Does this node fulfil `requires`? 0, or -EOPNOTSUPP with the missing part in *err. */
    int (*meets)(void *arg, const struct hf_requires *requires_, struct hf_err *err);
    /* A status changed. Never called from within a call into the engine. */
    void (*changed)(void *arg);
    void *arg;
};

struct hf_update_engine;

/* Copies the strings and `roots`; the tables of functions and `log` must outlive the loop that runs the jobs. Takes
 * <state>/updates/lock: -EWOULDBLOCK if another process holds it.
 * Reads the journals and resumes where the last process stopped; effects start with the next turn of the loop. It sets
 * a damaged journal aside and reports it in the status of that release. */
HF_MUST_USE int hf_update_engine_new(const struct hf_update_params *params, struct hf_update_engine **ret_engine,
                                     struct hf_err *err);
/* Call before a shutdown of the node: the engine starts nothing new, stops downloads, and syncs everything received
 * to disk. The engine has finished when hf_update_engine_quiesced() returns true; it calls `changed` then. The
 * caller may free the engine earlier; the next process then resumes as after a kill. */
void hf_update_engine_quiesce(struct hf_update_engine *engine);
bool hf_update_engine_quiesced(const struct hf_update_engine *engine);
void hf_update_engine_free(struct hf_update_engine *engine); /* stops all effects; the state on disk stays resumable */
HF_DEFINE_CLEANUP(struct hf_update_engine, hf_update_engine_free)

/* Sets all desired releases, one for each release name (the caller has resolved Superseded). The engine forgets a
 * release that is no longer desired if it has not started, abandons it and cleans up before Swapping, finishes it after
 * that, and leaves it alone once committed. Call it each `interval` even if nothing changed: the engine then reads the
 * keys again. */
HF_MUST_USE int hf_update_engine_set(struct hf_update_engine *engine, const struct hf_desired *desired, size_t n,
                                     struct hf_err *err);
/* Looks for drift in committed releases; call it each `interval`. If somebody changed or removed the installed
 * content, the engine installs it again at once (Drifted), with health checks as in any update: if they fail, it
 * restores the changed content. After a repair the next one has to wait: one minute, then two, four, ... */
void hf_update_engine_check_drift(struct hf_update_engine *engine);
void hf_update_engine_set_retry(struct hf_update_engine *engine, uint64_t base_ns, uint64_t cap_ns);

/* Visits the status of every release, desired or with a history. A release that no object wants comes last, without
 * method and counters. */
void hf_update_engine_each(struct hf_update_engine *engine,
                           void (*visit)(void *arg, const struct hf_update_status *status), void *arg);
