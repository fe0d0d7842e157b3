/* SPDX-License-Identifier: Apache-2.0 */
/* support/simupdate.h - a world around the update engine: a node's disk that loses power, a release server, a service
 * with its unit, keys; and agents' lives in it, one after another.
 *
 *     struct hf_simupdate *w = hf_simupdate_new(seed);
 *     hf_simupdate_put_old(w, "v1");
 * hf_simupdate_publish(w, &(struct hf_sim_release){.version = "2", .sequence = 2, .content = "v2", .delta = true});
 *     hf_simupdate_boot(w);
 *     ck_assert(hf_simupdate_settle(w));
 *
 * Content: "v1", "v2", ... name byte strings of some 40 KiB that differ a little; "broken" is one whose service is not
 * healthy, "dead" one whose service does not start: systemd says so to who restarts it, also at a boot. The service runs
 * what lay at the target when its unit was last restarted. Everything aborts on a failure of its own. */
#pragma once

#include "base/strmap.h"
#include "support/fakes/fake_http.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"
#include "support/fakes/simloop.h"
#include "update/engine.h"

enum { HF_SIM_CONTENT = 40000, HF_SIM_MAX_STATUS = 8 };

#define HF_SIM_TARGET "/opt/app/bin/app"

struct hf_sim_release {
    const char *name;       /* NULL: "app" */
    const char *version;    /* NULL: content */
    uint64_t sequence;      /* 0: 2, and one more for each other release of the name that follows */
    const char *content;    /* what it installs */
    const char *delta_from; /* NULL: whole file only */
    const char *via;        /* by two deltas: to this content, and from there; NULL: by one */
    json_t *delta_requires; /* of the delta (stolen); NULL nothing */
    bool packed, tree;
    bool agent;                  /* a tree of kind Agent, by the only name that it may have */
    bool no_expiry, no_download; /* as releases of earlier versions */
    bool canonical;              /* a tree's archive is, so that there are deltas from it */
    const char *url;             /* of the whole file; NULL: one that is served */
    const char *path;            /* NULL: HF_SIM_TARGET, for a tree /opt/app/current */
    bool no_restart, no_checks;
    const char *device;    /* the artifact requires it; NULL none */
    json_t *patch;         /* merged over the object before it is signed (stolen); NULL none */
    json_t *patch_after;   /* merged over it after signing (stolen) */
    const char *sign_with; /* NULL: the good key "k1"; "": not at all; "other": an unknown one */
};

struct hf_sim_seen { /* a copy of a status */
    char name[64], version[72], digest[65], from[72], installed[72], method[8], reason[64], message[300];
    enum hf_phase phase;
    uint64_t sequence, bytes_fetched;
    unsigned attempts;
    bool settled;
};

struct hf_simupdate {
    struct hf_simloop *loop;
    struct hf_simfs *fs;
    uint64_t seed;
    /* this life */
    struct hf_simproc *proc;
    const struct hf_time_range *range; /* what the engine's clock says of the present; NULL: it knows the time */
    struct hf_clock_ops clock;
    struct hf_fake_http *http;
    struct hf_simhost *host;
    struct hf_update_engine *engine;
    unsigned lives, boots, changes;
    /* desired */
    json_t *objects[HF_SIM_MAX_STATUS];
    enum hf_desired_gate gates[HF_SIM_MAX_STATUS];
    bool turn_missing;   /* all that is wanted needs a turn that the node does not have */
    bool writes_used_up; /* the budget of writes is used up */
    enum hf_link link;   /* whether the policy allows bulk transfers */
    bool disk_warned;    /* every file system is above disk.warnPercent */
    bool disk_critical;  /* every file system is critically full */
    const struct hf_watch_ops *watch;
    size_t n_objects;
    /* the server's */
    struct hf_fake_answer answer; /* how artifacts are answered: .fail, .status, .cut_after, .endless ... */
    bool no_ranges;               /* and it cannot go on in the middle */
    const char *etag;             /* NULL: "e1" in quotes */
    struct hf_strmap files;       /* url to struct hf_buf */
    /* the service */
    char running[24]; /* name of the content that runs; "" nothing */
    bool is_dead;     /* the service was started from content that does not start */
    unsigned restarts;
    /* The service is the agent itself: its restart never comes back, and each life starts what lies at the target. */
    bool self;
    bool self_restarted;    /* systemd ends this life of the agent */
    const char *unit;       /* NULL: "app.service" */
    int restart_r, state_r; /* what systemd answers; 0 */
    const char *unit_state; /* NULL: "active" */
    int exec_r, exec_code;
    unsigned execs;
    /* what a command does; NULL: as exec_r and exec_code say */
    int (*run)(struct hf_simupdate *world, const char *const *argv, int *ret_exit_code);
    int meets_r;
    const char *only_exec;  /* the only program that the node's configuration allows; NULL: any */
    const char *only_unit;  /* the only unit that a release may restart; NULL: any */
    const char *named_unit; /* a unit that the node's configuration lists by its full name; NULL: none */
    int set_r;              /* what the engine said last of what is wanted: 0, or -E2BIG */
    bool pod_mode;
    const struct hf_life_ops *life; /* support/fakes/simlife.h; NULL: no supervisor */
    const char *host_root;
    uint64_t reserve_bytes;       /* what must stay free, by the node's configuration; 0: the engine's default */
    struct hf_log *log;           /* borrowed; NULL none */
    struct hf_metrics *metrics;   /* as log */
    struct hf_kept_policy retain; /* of a life from its boot on */
    /* looked at after each event when set */
    void (*check)(struct hf_simupdate *world);
};

struct hf_simupdate *hf_simupdate_new(uint64_t seed);
void hf_simupdate_free(struct hf_simupdate *world);

const void *hf_sim_content(const char *name, size_t *ret_n);
const char *hf_sim_content_name(const void *bytes, size_t n); /* NULL: none of ours */

void hf_simupdate_put_old(struct hf_simupdate *world, const char *content); /* at HF_SIM_TARGET, running */
/* Make artifacts, sign, want it (instead of what was wanted under this name). */
void hf_simupdate_publish(struct hf_simupdate *world, const struct hf_sim_release *release);
void hf_simupdate_trust_other(struct hf_simupdate *world); /* the unknown key is unknown no more */
void hf_simupdate_withdraw(struct hf_simupdate *world, const char *name);
void hf_simupdate_set_gate(struct hf_simupdate *world, const char *name, enum hf_desired_gate gate);
void hf_simupdate_tell(struct hf_simupdate *world); /* give the engine what is wanted, again */
void hf_simupdate_look(struct hf_simupdate *world); /* have it look at what was committed, as each `interval` */

void hf_simupdate_serve(struct hf_simupdate *world); /* `answer` changed in the middle of a life */

void hf_simupdate_boot(struct hf_simupdate *world); /* a new life of the agent */
void hf_simupdate_stop(struct hf_simupdate *world); /* SIGTERM */
void hf_simupdate_kill(struct hf_simupdate *world); /* kill -9 */
void hf_simupdate_power_cut(struct hf_simupdate *world,
                            uint64_t seed); /* the service is started again with the machine */
/* Until everything is settled, the disk has stopped, or an hour has gone by. True: settled. */
bool hf_simupdate_settle(struct hf_simupdate *world);
bool hf_simupdate_settle_within(struct hf_simupdate *world, uint64_t ns);
/* As settle, with a new life of the agent after each restart of its own unit, `lives` of them at most. */
bool hf_simupdate_settle_lives(struct hf_simupdate *world, unsigned lives);
bool hf_simupdate_until_phase(struct hf_simupdate *world, const char *name, enum hf_phase phase); /* within an hour */
void hf_simupdate_run_for(struct hf_simupdate *world, uint64_t ns);

struct hf_sim_seen hf_simupdate_see(struct hf_simupdate *world, const char *name); /* name "" when it is not known */
const char *hf_simupdate_target(struct hf_simupdate *world, const char *path); /* content's name, "absent", "torn" */
/* Paths below /opt and the state folder that should not be there when all is settled: the first, or NULL. */
const char *hf_simupdate_leftover(struct hf_simupdate *world);
