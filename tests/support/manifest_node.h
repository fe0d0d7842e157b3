/* SPDX-License-Identifier: Apache-2.0 */
/* support/manifest_node.h - a node with the manifest engine and nothing else, on virtual time, for tests of the entry
 * "app".
 *
 *     struct node *node = node_begin("{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"}," NODE_FILES "}", seed);
 *     node_put(node, "/media/usb/a", "one");              what the source delivers
 *     node_boot(node);                                    the engine starts
 *     node_intervals(node, 4);
 *     node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
 *     node_end(node);
 *
 * The unit app.service serves /etc/app/a, and does not start when that file says "broken". /usr/bin/check refuses a
 * candidate whose file a says "bad". What else goes wrong is in `faults`. Aborts on OOM. */
#pragma once

#include "loop/unit.h"
#include "loop/watch.h"
#include "manifests/engine.h"
#include "manifests/source/bundle.h"
#include "manifests/state/record.h"
#include "support/fakes/simfs.h"
#include "support/fakes/simhost.h"
#include "support/fakes/simloop.h"
#include "support/fakes/simnet.h"

#define NODE_STATE "/var/lib/holdfast"
#define NODE_FILES "\"to\":\"Files\",\"path\":\"/etc/app/\""
#define NODE_POD(image)                                                                                                \
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: " image "}]}\n"
#define NODE_UNIT ",\"restart\":{\"systemdUnit\":\"app.service\"}"

struct node {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simfs *fs;
    struct hf_config *config;
    struct hf_syncpolicy *policy;
    struct hf_manifest_desired desired;
    enum hf_link link; /* what the policy says of downloads */
    struct hf_watch_ops watch;
    unsigned watches; /* folders that the engine and its sources watch */
    /* one process */
    struct hf_simproc *proc;
    struct hf_simhost *host;
    struct hf_simclient *client;
    struct hf_manifest_engine *engine;
    /* what the outside saw */
    unsigned restarts, reloads, notices[HF_MANIFEST_NOTICE_COUNT], statuses, validations;
    unsigned empty_notices; /* notices of a repair that do not name sub/x */
    char served[20];        /* the content that the service has read: that of /etc/app/a at its last restart */
    char status[800];
    char told[1200]; /* all fields of all statuses, as the engine last asked to report them; "" since a boot: not yet */
};

/* The faults of the node. A test sets what it needs, and clears it in the end, because faults outlive the node. */
struct faults {
    struct {
        bool breaks;             /* each way into /etc/app fails, from the next restart that fails on */
        bool broken;             /* it does so now */
        const char *unreadable;  /* one file, until it is written anew; NULL for none */
        unsigned errors;         /* how often it was not read */
        const char *worn;        /* a file that is never read, however often it is written; NULL for none */
        bool never_reads;        /* no file "a" is read */
        bool unwritable;         /* contents cannot be written to the state */
        unsigned refused;        /* how often one was not */
        const char *uncreatable; /* part of the paths of files that cannot be created; NULL for none */
        const char *immutable;   /* name of files that nobody may remove; NULL for none */
        const char *stuck;       /* name of files that no rename can replace; NULL for none */
        int stuck_error;
        bool sticks;              /* with the next restart that fails, the file "a" is stuck */
        struct hf_simproc *slow;  /* who takes long to write a content; NULL: nobody */
        const struct node *scant; /* whose disk takes no record while it holds the staged file "c"; NULL: nobody's */
        unsigned staged;          /* how often it did not take one */
    } disk;
    struct {
        const struct node *node; /* once the node has `file`, memory runs out: one timer cannot be made */
        const char *file;        /* NULL: there is memory enough */
    } memory;
    struct {
        unsigned failures; /* how many of the next processes cannot be started */
        int error;         /* 0 means -EAGAIN */
    } procs;
    struct {
        bool hangs;     /* no restart ends */
        unsigned fails; /* how many of the next restarts fail whatever the content */
        /* before how many of the next restarts with the content "broken" somebody changes it into one that works */
        unsigned tampers;
        /* called before each restart, until it returns true; NULL for nothing */
        bool (*on_restart)(struct node *node);
        const char *active_state; /* what systemd says */
    } service;
    int trust_signed; /* whether the entry is signed; -1: nobody is asked */
};
extern struct faults faults;

/* The newest watch of one folder. */
struct watched {
    const char *path; /* the test's choice; NULL: of none */
    void (*fire)(void *arg);
    void *arg;
};
extern struct watched watched;

/* `manifests` is the text of spec.manifests. The engine starts with node_boot(). */
struct node *node_begin(const char *manifests, uint64_t seed);
void node_end(struct node *node); /* fails the test when the engine has left a file open */

/* The process of the engine begins and ends. node->engine is NULL afterwards when it could not start. */
void node_boot(struct node *node);
void node_shut_down(struct node *node);
void node_kill(struct node *node);                     /* kill -9, perhaps within a call of the file system */
void node_power_cut(struct node *node, uint64_t seed); /* the disk keeps what was durable, and perhaps more */
/* The entry has its first content, "one" in the file a. */
struct node *node_begin_applied(const char *manifests, uint64_t seed);

void node_set_policy(struct node *node, const char *manifests); /* told by node_tell(), or with the next interval */
/* A policy without entries. Its annotation allows the removal of the content with this digest. */
void node_allow_prune(struct node *node, const char *digest);
void node_tell(struct node *node);
/* Of 10 s. The test fails when an engine that has come to rest shows another status than it asked to report. */
void node_intervals(struct node *node, unsigned n);

void node_put(struct node *node, const char *path, const char *text);
bool node_has(struct node *node, const char *path, const char *text); /* NULL: no such file */
/* The source delivers the n-th of many contents. */
void node_publish(struct node *node, unsigned number);
bool node_has_number(struct node *node, unsigned number);
/* Somebody restarts the service. 0, or a negative errno. */
int node_restart(struct node *node);
/* Returns the phase in the record of the entry, in quotes, or "" if there is no record. */
const char *node_phase_on_disk(struct node *node);

/* The status of the entry. */
struct seen {
    bool there;
    struct hf_manifest_status status;
    char message[600];
};
/* A visitor for hf_manifest_engine_each(), whose `arg` is a struct seen. */
void node_see(void *arg, const struct hf_manifest_status *status);
/* Returns the status of the entry. The test fails if the engine has no such entry. */
struct seen node_look(struct node *node);
void node_expect(struct node *node, enum hf_manifest_phase phase, enum hf_manifest_reason reason, const char *when);

/* Damages the contents in the state. The two functions are visitors for hf_simfs_walk(), with a struct loss. */
struct loss {
    struct node *node;
    char good[256]; /* path of the content that stays; "" for none */
    unsigned n;
};
void loss_find_good(void *arg, const char *path, const struct stat *st); /* notes the content that must stay */
void loss_damage(void *arg, const char *path, const struct stat *st);    /* damages every other one */
