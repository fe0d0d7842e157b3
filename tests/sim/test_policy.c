/* SPDX-License-Identifier: Apache-2.0 */
/* One node with five entries of spec.manifests, an EdgeUpdate and telemetry for two sinks, and a long sequence of random
 * faults: the whole agent on a virtual clock, a disk that loses what was not synced, a network, a simulated API server, a
 * simulated kubelet, a device that sends, and two sinks. The seed decides every fault.
 *
 *     HF_SIM_SEEDS=N    number of seeds (default DEFAULT_SEEDS: as many as fit in about a minute of processor time
 *                       under the sanitizers; a seed takes about 0.5 s in the release build)
 *     HF_SIM_FIRST=S    the first seed (default 1)
 *     HF_SIM_SEED=S     only this seed; HF_SIM_LOG=1 prints the faults and the agent's log
 *     HF_SIM_FAULTS=N   number of faults in the sequence of a seed (default 500)
 *     HF_SIM_DAMAGE=0   damage no file of the state
 *     HF_SIM_PAUSE=MS   work of jobs pauses in its middle for up to MS milliseconds, and other events run meanwhile
 *     HF_SIM_LATE=MS    timers fire up to MS milliseconds late
 *
 * Without these two, the node of every second seed is slow: pauses of up to 200 ms, timers up to 100 ms late.
 * `make soak` runs many seeds in the release build.
 *
 * The entries:
 *   app   a folder of the node, unsigned, to a folder in which somebody else has a file too, with prune
 *   map   a ConfigMap, pinned by contentDigest, to a folder, with prune
 *   sig   a file of the node, signed, to the program of a unit, which the entry restarts and checks; the node allows its
 *         target only to signed entries
 *   pod   a folder of the node, unsigned, to the static pods of a kubelet, with prune; the pods of some versions crash
 *   obj   a folder of the node, unsigned, to objects of the API server, with prune, after `map`; the Deployment of some
 *         versions never becomes available
 *
 * After each step of the agent that touched the disk:
 *   - each managed file is one whole content that was desired for it, or what a local user wrote there
 *   - no content lands that was half written, unsigned, badly signed, not pinned, or published after the policy became
 *     stale with onExpiry Hold
 *   - no more files go than a lawful change or the local user removed: not on an empty, stale or failing answer of the
 *     API server, an empty source, a source that is gone, or a set that lacks most files
 *   - the kubelet's folder has nothing under a name that a kubelet reads but pods of the entry and of somebody else, and
 *     the pods are those of two versions at most
 *   - the path of the update is one whole release
 *   - no sink of telemetry got an event twice, or other bytes under one key (exception: support/fakes/simfeed.h)
 * After each write to the API server's objects: the same as for files, and objects of others are untouched.
 * After each fault: files of others are untouched, nothing new appears outside the managed paths, and neither the status
 * numbers nor the reported number of journal entries have gone back. EdgeNode never calls a version Applied that does not
 * run, and no version is taken back because the kubelet has not read its files, unless the kubelet was down. Every
 * hundredth fault: drift is repaired (files with or without network), and the journal is one chain that has the entry
 * which the API server has seen last. In the end, without faults: all files, the running units and pods and the
 * reported phases are those of the last contents and of the last release, no unfinished file is left, and both sinks
 * have every acknowledged event. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "audit/check.h"
#include "cache/entry.h"
#include "config/config.h"
#include "manifests/source/bundle.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/simfeed.h"
#include "support/fakes/simkubelet.h"
#include "support/fakes/simnode.h"
#include "support/fakes/ssa_sim.h"
#include "support/json_text.h"
#include "support/makers/signatures.h"
#include "support/walk.h"
#include "trust/key.h"
#include "trust/trust.h"

#define STATE HF_SIMNODE_STATE
#define POLICY STATE "/cache/SyncPolicy/all.json"
#define SECOND HF_NS_PER_S
#define MINUTE (60 * HF_NS_PER_S)
#define WINDOW_S 60 /* staleOk.window */
#define DRIFT "changed by a local user\n"
#define PODS "/etc/pods"
#define MAPS "/api/v1/namespaces/shop/configmaps/"
#define DEPLOYMENTS "/apis/apps/v1/namespaces/shop/deployments/"

enum { APP, MAP, SIG, POD, OBJ, ENTRIES, MAX_FILES = 6, MAX_VERSIONS = 1024, MAX_TEXT = 8192, RELEASES = 7 };
enum { DEFAULT_SEEDS = 20, DEFAULT_FAULTS = 500 };

static const char *const tempers[RELEASES] = {"healthy", "healthy", "slow", "crash", "healthy", "healthy", "healthy"};
static const struct {
    const char *name, *target;
    size_t files;
    bool gaps;   /* each version may lack one of the files */
    bool checks; /* every fifth version does not run */
    mode_t mode;
} entries[ENTRIES] = {{"app", "/etc/app", 6, true, false, 0644},
                      {"map", "/etc/map", 4, false, false, 0644},
                      {"sig", "/etc/sig", 1, false, true, 0644},
                      {"pod", PODS, 4, true, true, 0600},
                      {"obj", "the cluster", 5, true, true, 0}};

static const struct {
    const char *path, *text;
} others[] = {{"/etc/passwd", "root:x:0:0\n"},
              {"/etc/app/local.conf", "of somebody else\n"},
              {"/etc/map/deep/local.conf", "of somebody else, too\n"},
              {"/home/user/notes", "notes\n"},
              {PODS "/proxy.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: proxy}\n"
                                   "spec: {containers: [{name: c, image: proxy}]}\n"}};

static struct hf_simsite *site;
static struct hf_buf key = HF_BUF_INIT(1000), public_key = HF_BUF_INIT(1000), stranger = HF_BUF_INIT(1000);

/* How a version was published. */
enum kind { LAWFUL, SHRUNK, UNSIGNED, FORGED, STRANGER, UNPINNED };

enum drift { NO_DRIFT, CHANGED, REMOVED };

struct entry {
    struct world *w;
    unsigned index;
    unsigned version;               /* the newest one */
    enum kind kinds[MAX_VERSIONS];  /* of each version */
    bool stale[MAX_VERSIONS];       /* published while the node may take no new content */
    bool slowly[MAX_VERSIONS];      /* copied into the source file by file */
    char digests[MAX_VERSIONS][13]; /* of versions that are judged by how they run, as in EdgeNode */
    uint64_t published_ns[MAX_VERSIONS];
    bool copying;   /* somebody copies the newest version into the source, */
    size_t copied;  /* and has come so far */
    json_t *json;   /* as in the policy */
    char hurt[256]; /* a file of the entry's state that was damaged last; "" none */
    ino_t hurt_ino;
    bool lost;                          /* the record or a content was damaged: only the source brings it back */
    bool forgot;                        /* the inventory was damaged: what was ours to remove may be forgotten */
    bool whole;                         /* all files have been in place at least once */
    struct timespec checked[MAX_FILES]; /* last change of the file that an invariant has looked at */
    enum drift drift[MAX_FILES];        /* what a local user did, until it is repaired */
    enum drift drifted[MAX_FILES];      /* the same, until a power cut cannot bring it back any more */
};

struct world {
    uint64_t seed;
    uint64_t pause_ns; /* longest ordinary pause of a job */
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_config *config;
    struct hf_simnode *node;
    struct hf_simkubelet *kubelet;
    struct hf_simfeed *feed;
    uint64_t kubelet_up_ns; /* since when it runs */
    struct ssa_sim cluster; /* objects in the namespace "shop" */
    struct entry entries[ENTRIES];
    bool hold;       /* staleOk.onExpiry is Hold */
    bool power;      /* the armed stop is a power cut */
    bool faulty;     /* the disk fails, or may stop, so that the agent may not start */
    bool no_policy;  /* the policy in the cache was damaged: until contact, the next life may have the default one */
    bool rebooted;   /* a power cut came after the last start */
    bool restarting; /* a start of the agent is posted */
    bool half;       /* the ConfigMap lacks a file of its newest version */
    uint64_t cut_ns; /* since when the node has had no contact; 0: it may have */
    uint64_t checked_changes, journal_checked;
    struct timespec pods_checked; /* last change of the kubelet's folder that an invariant has looked at */
    int64_t sequence;             /* the highest one that the API server has seen */
    size_t published;             /* the newest release */
    uint64_t journal;             /* number of the newest entry of the journal that the API server has seen */
    char journal_hash[HF_SHA256_HEX];
    bool journal_hole; /* the disk damaged the journal's middle: it is no chain any more, and must say so */
    size_t names;      /* names outside the managed paths at the start */
    size_t history_n;
    char history[1 << 17];
};

static void say(struct world *w, const char *format, ...) HF_PRINTF(2, 3);
static void say(struct world *w, const char *format, ...)
{
    char line[400];
    va_list args;
    int n = snprintf(line, sizeof(line), "\n  %9.3f s  ", (double)hf_simloop_now_ns(w->loop) / 1e9);

    va_start(args, format);
    n += vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    va_end(args);
    n = HF_MIN(n, (int)sizeof(line) - 1);
    if (w->history_n + (size_t)n + 1 < sizeof(w->history)) {
        memcpy(w->history + w->history_n, line, (size_t)n + 1);
        w->history_n += (size_t)n;
    }
    if (getenv("HF_SIM_LOG") != NULL)
        (void)fprintf(stderr, "----%s\n", line);
}

static void give_up(struct world *w, const char *text)
{
    size_t from = w->history_n > 6000 ? w->history_n - 6000 : 0;

    hf_simfs_trace(w->node->fs, stderr);
    (void)fprintf(stderr, "%s\nHF_SIM_SEED=%llu at %.3f s: %s\n", w->history + from, (unsigned long long)w->seed,
                  (double)hf_simloop_now_ns(w->loop) / 1e9, text);
    ck_abort_msg("HF_SIM_SEED=%llu: %s", (unsigned long long)w->seed, text);
}

#define MUST(w, condition, ...)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            char said_[512];                                                                                           \
            (void)snprintf(said_, sizeof(said_), __VA_ARGS__);                                                         \
            give_up((w), said_);                                                                                       \
        }                                                                                                              \
    } while (0)

static uint64_t number(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text == NULL || text[0] == '\0' ? fallback : strtoull(text, NULL, 10);
}

static uint64_t below(struct world *w, uint64_t bound)
{
    return hf_simloop_below(w->loop, bound);
}

/* ---- contents ---------------------------------------------------------------------------------------------------- */

/* Name of a file in the source of an entry. */
static const char *name_of(unsigned entry, size_t file)
{
    static char name[32];

    if (entry == SIG)
        return "run";
    if (entry == POD)
        (void)snprintf(name, sizeof(name), "p%zu.yaml", file);
    else if (entry == OBJ)
        (void)snprintf(name, sizeof(name), "f%zu.json", file);
    else
        (void)snprintf(name, sizeof(name), "%sf%zu", file % 3 == 2 && entry == APP ? "sub/" : "", file);
    return name;
}

static char paths[ENTRIES][MAX_FILES][64]; /* what path_of() says: it is asked after each step */

static void make_paths(void)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        for (size_t file = 0; file < entries[i].files; file++)
            if (i == OBJ)
                (void)snprintf(paths[i][file], sizeof(paths[i][file]), "%sf%zu", file == 0 ? DEPLOYMENTS : MAPS, file);
            else
                (void)snprintf(paths[i][file], sizeof(paths[i][file]), "%s/%s%s", entries[i].target,
                               i == POD ? "pod_site_" : "", name_of(i, file));
}

static const char *path_of(unsigned entry, size_t file)
{
    return paths[entry][file];
}

static const char *source_of(unsigned entry, size_t file)
{
    static char path[64];

    (void)snprintf(path, sizeof(path), "/media/usb/%s/%s", entries[entry].name, name_of(entry, file));
    return path;
}

/* Every fifth version of an entry that is checked does not run. */
static bool runs(unsigned entry, unsigned version)
{
    return !entries[entry].checks || version % 5 != 4;
}

/* The image of a pod: it names the version. */
static const char *image_of(unsigned version, size_t file)
{
    static char image[40];

    (void)snprintf(image, sizeof(image), "p%zu:1.%u.0%s", file, version, runs(POD, version) ? "" : "-crash");
    return image;
}

/* The first line names entry, version and file; the size depends on all three. */
static size_t make_text(unsigned entry, unsigned version, size_t file, char text[MAX_TEXT])
{
    size_t size = 40 + (version * 7919 + file * 104729 + entry * 31) % (entry >= POD ? 1000 : 5000);
    int n;

    if (entry == SIG)
        n = snprintf(text, MAX_TEXT, "release sig 1.%u.0 %s\n", version, runs(SIG, version) ? "healthy" : "crash");
    else if (entry == POD)
        n = snprintf(text, MAX_TEXT,
                     "# pod 1.%u.0 file %zu\napiVersion: v1\nkind: Pod\nmetadata: {name: p%zu, namespace: site}\n"
                     "spec: {containers: [{name: c, image: \"%s\"}]}\n# ",
                     version, file, file, image_of(version, file));
    else
        n = snprintf(text, MAX_TEXT, "%s 1.%u.0 file %zu%c", entries[entry].name, version, file,
                     entry == OBJ ? ' ' : '\n');
    for (size_t i = (size_t)n, letter = (i * (version + 3) + file) % 26, step = (version + 3) % 26; i < size; i++) {
        text[i] = (char)('a' + letter);
        letter += step;
        letter -= letter >= 26 ? 26 : 0;
    }
    return HF_MAX(size, (size_t)n);
}

struct content {
    char *text;
    size_t n;
};

/* Keeps the text that make_text() makes, because every step needs it. */
static const struct content *content_text(unsigned entry, unsigned version, size_t file)
{
    static struct content made[ENTRIES][MAX_VERSIONS][MAX_FILES];
    struct content *content = &made[entry][version][file];
    char text[MAX_TEXT];

    if (content->text != NULL)
        return content;
    content->n = make_text(entry, version, file, text);
    content->text = malloc(content->n);
    ck_assert_ptr_nonnull(content->text);
    memcpy(content->text, text, content->n);
    return content;
}

static size_t text_of(unsigned entry, unsigned version, size_t file, char text[MAX_TEXT])
{
    const struct content *content = content_text(entry, version, file);

    memcpy(text, content->text, content->n);
    return content->n;
}

/* The same as the file in the source has it. */
static size_t source_text_of(unsigned entry, unsigned version, size_t file, char text[MAX_TEXT])
{
    char content[MAX_TEXT];

    if (entry != OBJ)
        return text_of(entry, version, file, text);
    size_t n = text_of(entry, version, file, content);
    return (size_t)snprintf(text, MAX_TEXT,
                            "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"namespace\":\"shop\",\"name\":"
                            "\"f%zu\"},\"data\":{\"text\":\"%.*s\"}}",
                            file == 0 ? "apps/v1" : "v1", file == 0 ? "Deployment" : "ConfigMap", file, (int)n,
                            content);
}

static bool has(const struct entry *entry, unsigned version, size_t file)
{
    if (entry->kinds[version] == SHRUNK)
        return file == 0;
    return !entries[entry->index].gaps || file != version % 7 + (entry->index == OBJ); /* never the Deployment */
}

/* The version of which these bytes are the whole content; 0: none. */
static unsigned which(const struct world *w, unsigned index, size_t file, const char *bytes, size_t n)
{
    const char *at = n > 20 ? memchr(bytes, '.', 20) : NULL;
    unsigned version = at != NULL ? (unsigned)strtoul(at + 1, NULL, 10) : 0;

    if (version == 0 || version > w->entries[index].version)
        return 0;
    const struct content *content = content_text(index, version, file);
    return content->n == n && memcmp(content->text, bytes, n) == 0 ? version : 0;
}

/* What is in place; NULL: nothing. */
static const char *content_of(const struct world *w, unsigned index, size_t file, size_t *ret_n)
{
    if (index != OBJ)
        return hf_simfs_get(w->node->fs, path_of(index, file), ret_n);
    const char *text = hf_json_str(json_object_get(w->cluster.objects, path_of(index, file)), "data.text");
    *ret_n = text != NULL ? strlen(text) : 0;
    return text;
}

/* ---- invariants -------------------------------------------------------------------------------------------------- */

static void check_file(struct world *w, unsigned index, size_t file, size_t *ret_there, size_t *ret_removed)
{
    struct entry *entry = &w->entries[index];
    const char *path = path_of(index, file);
    size_t n = 0;
    struct stat st;
    bool there = index == OBJ ? content_of(w, index, file, &n) != NULL : hf_simfs_stat(w->node->fs, path, &st);

    *ret_there += there;
    *ret_removed += entry->drift[file] == REMOVED && !there;
    if (!there || (index != OBJ && memcmp(&st.st_mtim, &entry->checked[file], sizeof(st.st_mtim)) == 0))
        return;
    const char *bytes = content_of(w, index, file, &n);
    MUST(w, bytes != NULL, "'%s' is no regular file", path);
    if (index != OBJ)
        entry->checked[file] = st.st_mtim;
    if (entry->drift[file] == CHANGED && n == strlen(DRIFT) && memcmp(bytes, DRIFT, n) == 0)
        return;
    unsigned version = which(w, index, file, bytes, n);
    MUST(w, version != 0, "'%s' is no whole content: %zu bytes, %.60s", path, n, bytes);
    MUST(w, entry->kinds[version] <= SHRUNK, "'%s' has version %u, which was published as kind %d", path, version,
         entry->kinds[version]);
    MUST(w, !entry->stale[version], "'%s' has version %u, which was published while the policy was stale", path,
         version);
    entry->drift[file] = NO_DRIFT;
}

/* True if a set may have files of both versions: somebody who copied the later one paused at a file that it lacks, and
 * the node may have taken what the source had then. */
static bool may_be_one_set(const struct entry *entry, unsigned a, unsigned b)
{
    unsigned later = HF_MAX(a, b);
    bool paused = false;

    for (size_t file = 0; file < entries[entry->index].files; file++)
        paused = paused || (entry->slowly[later] && !has(entry, later, file));
    return a == b || (paused && later == HF_MIN(a, b) + 1);
}

/* At most the last good set and the next one are in place. Where the inventory was damaged, a file that the newest
 * version lacks may stay. */
static void check_versions(struct world *w, unsigned index)
{
    const struct entry *entry = &w->entries[index];
    unsigned versions[MAX_FILES], newest = 0, other = 0;

    if (entry->lost)
        return;
    for (size_t i = 0; i < entries[index].files; i++) {
        size_t n = 0;
        const char *bytes = hf_simfs_get(w->node->fs, path_of(index, i), &n);
        versions[i] = bytes != NULL ? which(w, index, i, bytes, n) : 0;
        newest = HF_MAX(newest, versions[i]);
    }
    for (size_t i = 0; i < entries[index].files; i++) {
        if (versions[i] == 0 || may_be_one_set(entry, versions[i], newest) || (entry->forgot && !has(entry, newest, i)))
            continue;
        MUST(w, other == 0 || may_be_one_set(entry, versions[i], other), "'%s' has files of the versions %u, %u and %u",
             entries[index].target, other, versions[i], newest);
        other = HF_MAX(other, versions[i]);
    }
}

static void look_in_pod_folder(void *arg, const char *path, const struct stat *st)
{
    struct world *w = arg;
    bool known = strcmp(path, PODS) == 0 || strncmp(path, PODS "/.", strlen(PODS "/.")) == 0;

    (void)st;
    for (size_t i = 0; i < HF_LEN(others); i++)
        known = known || strcmp(path, others[i].path) == 0;
    for (size_t i = 0; i < entries[POD].files; i++)
        known = known || strcmp(path, path_of(POD, i)) == 0;
    MUST(w, known, "the kubelet reads '%s'", path);
}

/* Whatever a kubelet reads there, at whatever moment, is a pod: check_entry() looks into the files. */
static void check_pod_folder(struct world *w)
{
    struct stat st;

    if (!hf_simfs_stat(w->node->fs, PODS, &st) || memcmp(&st.st_mtim, &w->pods_checked, sizeof(st.st_mtim)) == 0)
        return;
    w->pods_checked = st.st_mtim;
    hf_simfs_walk(w->node->fs, PODS, look_in_pod_folder, w);
    check_versions(w, POD);
}

static void check_entry(struct world *w, unsigned index)
{
    struct entry *entry = &w->entries[index];
    size_t n = entries[index].files, there = 0, removed = 0;

    for (size_t i = 0; i < n; i++)
        check_file(w, index, i, &there, &removed);
    entry->whole = entry->whole || there >= n - (entries[index].gaps ? 1 : 0);
    MUST(w, !entry->whole || entry->lost || there + removed >= n - (entries[index].gaps ? 2 : 0),
         "'%s' has %zu of %zu files; the local user removed %zu", entry->whole ? entries[index].target : "", there, n,
         removed);
}

static void check_update(struct world *w)
{
    size_t n = 0;
    const void *bytes = hf_simfs_get(w->node->fs, HF_SIMNODE_TARGET, &n);

    MUST(w, bytes != NULL && hf_simsite_which(site, bytes, n) != 0, "the path of the update has no whole release");
}

static void end_life(struct world *w, bool power);

static void after_each(void *arg)
{
    struct world *w = arg;

    if (w->node->alive && hf_simfs_stopped(w->node->fs))
        end_life(w, w->power);
    MUST(w, hf_simfeed_fault(w->feed) == NULL, "telemetry: %s", hf_simfeed_fault(w->feed));
    if (hf_simfs_changes(w->node->fs) == w->checked_changes)
        return;
    w->checked_changes = hf_simfs_changes(w->node->fs);
    for (unsigned i = 0; i < OBJ; i++)
        check_entry(w, i);
    check_pod_folder(w);
    check_update(w);
}

/* ---- the journal of decisions ------------------------------------------------------------------------------------ */

enum { MAX_SEGMENTS = 32 };

struct journal {
    char *paths[MAX_SEGMENTS];
    size_t n;
    struct hf_audit_check check;
    bool witnessed;
    bool damaged, hole; /* a damaged line; a good one behind it */
};

static void note_segment(void *arg, const char *path, const struct stat *st)
{
    struct journal *journal = arg;

    (void)st;
    if (strstr(path, "/audit-") == NULL)
        return;
    ck_assert_uint_lt(journal->n, MAX_SEGMENTS);
    journal->paths[journal->n] = strdup(path);
    ck_assert_ptr_nonnull(journal->paths[journal->n++]);
}

static void read_segment(struct world *w, struct journal *journal, const char *path)
{
    struct hf_audit_line line = {.segment = strrchr(path, '/') + 1};
    struct hf_view rest = {NULL, 0};

    rest.p = hf_simfs_get(w->node->fs, path, &rest.n);
    ck_assert_ptr_nonnull(rest.p);
    while (hf_audit_line_next(&rest, &line)) {
        hf_audit_check_see(&journal->check, &line);
        journal->damaged = journal->damaged || line.r < 0;
        journal->hole = journal->hole || (journal->damaged && line.r == 0);
        if (line.entry.seq == w->journal)
            journal->witnessed = strncmp(line.hash, w->journal_hash, strlen(w->journal_hash)) == 0;
    }
}

static int read_journal(struct world *w, struct journal *journal, struct hf_err *err)
{
    *journal = (struct journal){.n = 0};
    hf_simfs_walk(w->node->fs, STATE "/journal", note_segment, journal); /* in the order of the names */
    for (size_t i = 0; i < journal->n; i++) {
        read_segment(w, journal, journal->paths[i]);
        free(journal->paths[i]);
    }
    return hf_audit_check_end(&journal->check, err);
}

static bool is_journal_whole(void *arg)
{
    struct world *w = arg;
    struct journal journal;

    if (w->journal_checked == hf_simfs_changes(w->node->fs))
        return false;
    w->journal_checked = hf_simfs_changes(w->node->fs);
    return read_journal(w, &journal, NULL) == 0;
}

/* The journal is one chain, and it has the entry that the node has shown to the API server last. For an agent that has
 * run for HF_AUDIT_RETRY_NS on a disk that is well: until then, the end of a failed write may be there. */
static void check_journal(struct world *w)
{
    struct journal journal;
    struct hf_err err = HF_ERR_INIT;
    char text[600];
    int r = read_journal(w, &journal, &err);

    if (w->journal_hole) {
        MUST(w, r < 0 || !journal.hole, "the check of the journal overlooks a hole");
        return;
    }
    MUST(w, r == 0, "the journal is no chain: %s", hf_err_text(&err, text, sizeof(text)));
    MUST(w, w->journal == 0 || journal.witnessed || w->journal < journal.check.oldest_seq,
         "entry %llu, which the API server has seen, is not in the journal (%llu to %llu)",
         (unsigned long long)w->journal, (unsigned long long)journal.check.oldest_seq,
         (unsigned long long)journal.check.seq);
}

/* A power cut during a write may leave a hole between its lines, which the agent cannot tell from a change by somebody
 * else. Lines of earlier writes stay. */
static void note_hole(struct world *w)
{
    struct journal journal;

    w->journal_hole = w->journal_hole || (read_journal(w, &journal, NULL) < 0 && journal.hole);
}

static void note_journal(struct world *w, const json_t *node)
{
    int64_t newest = hf_json_int_or(node, "status.journal.entries", 0);

    if (newest == 0)
        return;
    MUST(w, (uint64_t)newest >= w->journal, "journal of %lld entries after %llu", (long long)newest,
         (unsigned long long)w->journal);
    w->journal = (uint64_t)newest;
    (void)snprintf(w->journal_hash, sizeof(w->journal_hash), "%s",
                   hf_json_str_or(node, "status.journal.lastHash", "?"));
}

/* ---- the API server ---------------------------------------------------------------------------------------------- */

static bool is_good_news(const char *reason)
{
    return *reason == '\0' || strcmp(reason, "Applied") == 0 || strcmp(reason, "HealthPassed") == 0 ||
           strcmp(reason, "DriftRepaired") == 0;
}

/* What EdgeNode says of a version that is judged by how it runs. */
static void check_verdict(struct world *w, unsigned index, unsigned version, const json_t *one)
{
    const struct entry *entry = &w->entries[index];
    const char *phase = hf_json_str_or(one, "phase", ""), *reason = hf_json_str_or(one, "reason", "");
    const char *message = hf_json_str_or(one, "message", "");

    if (strcmp(entry->digests[version], hf_json_str_or(one, "digest", "?")) != 0)
        return;
    MUST(w, runs(index, version) || strcmp(phase, "Applied") != 0 || (index == POD && !is_good_news(reason)),
         "'%s' is Applied (%s) with version %u, which does not run", entries[index].name, reason, version);
    MUST(w,
         !runs(index, version) || strcmp(phase, "RolledBack") != 0 || strstr(message, "read the new file") == NULL ||
             entry->published_ns[version] < w->kubelet_up_ns,
         "'%s' does not take version %u: %s", entries[index].name, version, message);
}

static void check_reported(struct world *w, const json_t *node)
{
    const json_t *list = hf_json_at(node, "status.manifests");

    for (size_t i = 0; i < json_array_size(list); i++)
        for (unsigned index = POD; index <= OBJ; index++)
            for (unsigned version = 1; version <= w->entries[index].version; version++)
                check_verdict(w, index, version, json_array_get(list, i));
}

static void object_changed(void *arg, const char *type, const char *kind, json_t *object)
{
    struct world *w = arg;
    int64_t sequence = hf_json_int_or(object, "status.sequence", 0);

    if (strcmp(kind, "EdgeNode") != 0 || strcmp(type, "DELETED") == 0)
        return;
    MUST(w, sequence >= w->sequence, "status number %lld after %lld", (long long)sequence, (long long)w->sequence);
    w->sequence = sequence;
    note_journal(w, object);
    check_reported(w, object);
}

struct names {
    struct world *w;
    size_t n;
    bool told;
};

static void visit(void *arg, const char *path, const struct stat *st)
{
    static const char *const ours[] = {"/etc/app",    "/etc/map",  "/etc/sig",   PODS,
                                       STATE,         "/opt/edge", "/media/usb", "/opt/.holdfast-floors",
                                       HF_SIMFEED_DIR};
    struct names *names = arg;

    (void)st;
    if (strncmp(path, "/etc/.holdfast-", strlen("/etc/.holdfast-")) == 0) /* unfinished; gone in the end */
        return;
    for (size_t i = 0; i < HF_LEN(ours); i++)
        if (strncmp(path, ours[i], strlen(ours[i])) == 0)
            return;
    names->n++;
    if (names->told)
        say(names->w, "there is '%s'", path);
}

static void check_others(struct world *w)
{
    struct names names = {.w = w};

    for (size_t i = 0; i < HF_LEN(others); i++) {
        size_t n = 0;
        const char *bytes = hf_simfs_get(w->node->fs, others[i].path, &n);
        MUST(w, bytes != NULL && n == strlen(others[i].text) && memcmp(bytes, others[i].text, n) == 0,
             "'%s' of somebody else was touched", others[i].path);
    }
    hf_simfs_walk(w->node->fs, "/", visit, &names);
    if (w->names == 0)
        w->names = names.n;
    if (names.n != w->names)
        hf_simfs_walk(w->node->fs, "/", visit, &(struct names){.w = w, .told = true});
    MUST(w, names.n == w->names, "%zu names outside the managed paths, %zu before", names.n, w->names);
}

/* The controller of Deployments. */
static void run_deployment(struct world *w)
{
    json_t *object = json_object_get(w->cluster.objects, DEPLOYMENTS "f0");
    unsigned version = 0;

    if (object == NULL || sscanf(hf_json_str_or(object, "data.text", ""), "obj 1.%u.", &version) != 1)
        return;
    int ready = runs(OBJ, version);
    ssa_sim_put(object, "status",
                json_pack("{s:i, s:i, s:i, s:i, s:[{s:s, s:s}]}", "replicas", 1, "readyReplicas", ready,
                          "updatedReplicas", 1, "availableReplicas", ready, "conditions", "type", "Available", "status",
                          ready ? "True" : "False"));
}

static void serve_objects(struct world *w, struct hf_simcall *call)
{
    bool writes = strcmp(hf_simcall_method(call), "GET") != 0;

    run_deployment(w);
    ssa_sim_forget_log(&w->cluster);
    ssa_sim_handle(&w->cluster, call); /* the call has ended */
    if (!writes)
        return;
    check_entry(w, OBJ);
    MUST(w, w->entries[MAP].whole, "an object before the entry that it depends on");
    MUST(w, json_object_size(json_object_get(w->cluster.objects, MAPS "theirs")) == 1,
         "an object of somebody else was touched");
}

/* What the API server is asked besides: the mirrors of static pods, and objects of the cluster. */
static bool serve_rest(void *arg, struct hf_simcall *call)
{
    static const char pods[] = "/api/v1/namespaces/site/pods/";
    struct world *w = arg;
    const char *target = hf_simcall_target(call);

    if (strcmp(target, "/api/v1") == 0 || strcmp(target, "/apis/apps/v1") == 0 ||
        strstr(target, "/namespaces/shop/") != NULL) {
        serve_objects(w, call);
        return true;
    }
    if (strncmp(target, pods, strlen(pods)) != 0)
        return false;
    json_t *mirror = hf_simkubelet_mirror(w->kubelet, "site", target + strlen(pods));
    char *text = mirror != NULL ? json_text(mirror) : NULL;
    hf_simcall_reply(call, text != NULL ? 200 : 404, "application/json",
                     text != NULL ? text : "{\"kind\":\"Status\",\"reason\":\"NotFound\"}");
    free(text);
    json_decref(mirror);
    return true;
}

/* ---- lives of the agent ------------------------------------------------------------------------------------------ */

static void take_stale_back(struct world *w)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        memset(w->entries[i].stale, 0, sizeof(w->entries[i].stale));
}

/* After a power cut with a wrong clock, a node knows only from its disk that contact was lost. If the power cut came
 * before the node noticed the loss, or if the disk failed, the age of contact counts from this boot. */
static void note_reboot(struct world *w)
{
    size_t n = 0;
    const char *file = hf_simfs_get(w->node->fs, STATE "/clock", &n);
    bool kept = file != NULL && memmem(file, n, "contactLimitNs", strlen("contactLimitNs")) != NULL;
    uint64_t now = hf_simloop_now_ns(w->loop);

    if (!w->rebooted || w->cut_ns == 0)
        return;
    MUST(w, kept || w->faulty || now < w->cut_ns + 5 * MINUTE, "the disk does not know that contact was lost");
    if (kept || w->node->clock_offset_ns == 0)
        return;
    w->cut_ns = now;
    take_stale_back(w);
}

static void begin_life(void *arg)
{
    struct world *w = arg;
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    w->restarting = false;
    if (w->node->alive)
        return;
    note_reboot(w);
    w->rebooted = false;
    if (hf_simnode_begin(w->node, &err) == 0) {
        hf_simfeed_begin(w->feed, w->node);
        return;
    }
    MUST(w, w->faulty, "the agent does not start: %s", hf_err_text(&err, text, sizeof(text)));
    say(w, "could not start");
    w->restarting = true;
    hf_simloop_post(w->loop, 2 * SECOND, begin_life, w);
}

static void end_life(struct world *w, bool power)
{
    say(w, "%s", power ? "power cut" : "killed");
    hf_simfeed_end(w->feed);
    hf_simnode_end(w->node, power);
    w->rebooted = w->rebooted || power;
    if (power)
        note_hole(w);
    for (unsigned i = 0; power && i < ENTRIES; i++) {
        if (i != OBJ)
            memcpy(w->entries[i].drift, w->entries[i].drifted, sizeof(w->entries[i].drift));
        memset(w->entries[i].checked, 0, sizeof(w->entries[i].checked));
    }
    if (power) {
        memset(&w->pods_checked, 0, sizeof(w->pods_checked));
        w->checked_changes = 0;
        hf_simkubelet_boot(w->kubelet);
        w->kubelet_up_ns = hf_simloop_now_ns(w->loop);
    }
    if (!w->restarting)
        hf_simloop_post(w->loop, SECOND / 10 + below(w, 3 * SECOND), begin_life, w);
    w->restarting = true;
}

/* ---- the operator ------------------------------------------------------------------------------------------------ */

static void put_policy(struct world *w)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < ENTRIES; i++)
        (void)json_array_append(list, w->entries[i].json);
    (void)hf_simapi_put(
        w->api, json_pack("{s:s, s:s, s:{s:s}, s:{s:s, s:s, s:s, s:{s:s, s:s}, s:{s:i}, s:o}}", "apiVersion",
                          HF_API_GROUP_VERSION, "kind", "SyncPolicy", "metadata", "name", "all", "spec", "interval",
                          "10s", "retryInterval", "2s", "timeout", "5s", "staleOk", "window", HF_STR(WINDOW_S) "s",
                          "onExpiry", w->hold ? "Hold" : "Continue", "disk", "criticalPercent", 95, "manifests", list));
}

static struct hf_bundle *bundle_of(struct world *w, unsigned index, unsigned version)
{
    struct hf_bundle *bundle = hf_bundle_new();
    char text[MAX_TEXT];

    for (size_t i = 0; i < entries[index].files; i++) {
        if (!has(&w->entries[index], version, i))
            continue;
        size_t n = source_text_of(index, version, i, text);
        ck_assert_int_eq(hf_bundle_add(bundle, name_of(index, i), index == MAP ? HF_BUNDLE_NO_MODE : 0644,
                                       (struct hf_view){text, n}, NULL),
                         0);
    }
    ck_assert_int_eq(hf_bundle_seal(bundle, NULL), 0);
    return bundle;
}

static void pin(struct world *w, unsigned index)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = bundle_of(w, index, w->entries[index].version);
    char text[80];

    (void)snprintf(text, sizeof(text), "sha256:%s", bundle->digest);
    (void)json_object_set_new(w->entries[index].json, "contentDigest", json_string(text));
}

static void sign(json_t *entry, const struct hf_buf *with)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(10000);

    (void)json_object_del(entry, "signatures");
    ck_assert_int_eq(hf_trust_manifest_message(entry, &bytes, NULL), 0);
    (void)json_object_set_new(entry, "signatures", signatures_by("site", with, hf_buf_view(&bytes)));
}

/* Puts the files of the newest version into the source. `part` below 100: only about so many percent of each file. */
static void copy_file(struct world *w, unsigned index, size_t file, unsigned part)
{
    struct entry *entry = &w->entries[index];
    char text[MAX_TEXT];

    if (!has(entry, entry->version, file)) {
        hf_simfs_delete(w->node->fs, source_of(index, file));
        return;
    }
    size_t n = source_text_of(index, entry->version, file, text);
    hf_simfs_put(w->node->fs, source_of(index, file), text, n * part / 100, 0644);
}

static void copy_all(struct world *w, unsigned index)
{
    for (size_t i = 0; i < entries[index].files; i++)
        copy_file(w, index, i, 100);
}

static void put_map(struct world *w, unsigned version, bool half)
{
    json_t *data = json_object();
    char text[MAX_TEXT];

    w->half = half;
    for (size_t i = half ? 1 : 0; i < entries[MAP].files; i++) {
        size_t n = text_of(MAP, version, i, text);
        (void)json_object_set_new(data, name_of(MAP, i), json_stringn(text, n));
    }
    (void)hf_simapi_put(w->api, json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "apiVersion", "v1", "kind", "ConfigMap",
                                          "metadata", "namespace", "site", "name", "map", "data", data));
}

/* Contact has been lost for so long that a policy with Hold takes nothing new, whatever the clock shows. */
static bool is_stale(const struct world *w)
{
    return w->hold && w->cut_ns != 0 && hf_simloop_now_ns(w->loop) > w->cut_ns + (WINDOW_S + 30) * SECOND;
}

static struct entry *next_version(struct world *w, unsigned index, enum kind kind)
{
    struct entry *entry = &w->entries[index];

    MUST(w, entry->version + 1 < MAX_VERSIONS, "too many versions");
    entry->version++;
    entry->kinds[entry->version] = kind;
    entry->stale[entry->version] = is_stale(w);
    entry->published_ns[entry->version] = hf_simloop_now_ns(w->loop);
    say(w, "%s: version %u is published, kind %d%s", entries[index].name, entry->version, kind,
        entry->stale[entry->version] ? ", while the policy is stale" : "");
    return entry;
}

static void copy_on(void *arg)
{
    struct entry *entry = arg;
    struct world *w = entry->w;
    size_t file = entry->copied++;

    if (file < 2 * entries[entry->index].files) {
        copy_file(w, entry->index, file / 2, file % 2 == 0 ? 50 : 100);
        hf_simloop_post(w->loop, SECOND / 20 + below(w, SECOND * 3 / 4), copy_on, entry);
        return;
    }
    say(w, "%s: copied", entries[entry->index].name);
    entry->copying = false;
}

/* Publishes a version of an entry whose source is a folder. */
static void publish_folder(struct world *w, unsigned index, enum kind kind, bool slowly)
{
    struct entry *entry = &w->entries[index];

    if (entry->copying)
        return;
    next_version(w, index, kind);
    if (entries[index].checks) {
        _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = bundle_of(w, index, entry->version);
        (void)snprintf(entry->digests[entry->version], sizeof(entry->digests[0]), "%.12s", bundle->digest);
    }
    if (!slowly) {
        copy_all(w, index);
        return;
    }
    say(w, "%s: somebody begins to copy", entries[index].name);
    entry->copying = entry->slowly[entry->version] = true;
    entry->copied = 0;
    copy_on(entry);
}

static void publish_map(struct world *w, bool half)
{
    next_version(w, MAP, LAWFUL);
    pin(w, MAP);
    put_map(w, w->entries[MAP].version, half);
    put_policy(w);
}

static void publish_sig(struct world *w, enum kind kind)
{
    struct entry *entry = next_version(w, SIG, kind);

    copy_all(w, SIG);
    pin(w, SIG);
    (void)json_object_set_new(entry->json, "sequence", json_integer(entry->version));
    if (kind == UNPINNED)
        (void)json_object_del(entry->json, "contentDigest");
    if (kind == UNSIGNED)
        (void)json_object_del(entry->json, "signatures");
    else if (kind != FORGED) /* else the signature of the version before stays */
        sign(entry->json, kind == STRANGER ? &stranger : &key);
    put_policy(w);
}

static void publish_release(struct world *w)
{
    w->published++;
    say(w, "release %zu is published", w->published);
    (void)hf_simapi_put(w->api, hf_simsite_update(site, w->published, &(struct hf_simsite_twist){.arch = NULL}));
}

/* A version of each entry that must arrive. */
static void publish_all(struct world *w)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (!runs(i, w->entries[i].version + 1))
            next_version(w, i, UNSIGNED);
    publish_folder(w, APP, LAWFUL, false);
    publish_folder(w, POD, LAWFUL, false);
    publish_folder(w, OBJ, LAWFUL, false);
    publish_map(w, false);
    publish_sig(w, LAWFUL);
}

static unsigned some_folder(struct world *w)
{
    static const unsigned folders[] = {APP, POD, OBJ};

    return folders[below(w, HF_LEN(folders))];
}

static void operate(struct world *w)
{
    static const enum kind kinds[] = {LAWFUL, LAWFUL, LAWFUL, UNSIGNED, FORGED, STRANGER, UNPINNED};

    switch (below(w, 8)) {
    case 0:
        publish_folder(w, some_folder(w), LAWFUL, false);
        break;
    case 1:
        publish_folder(w, some_folder(w), LAWFUL, true);
        break;
    case 2:
        publish_folder(w, some_folder(w), SHRUNK, false);
        break;
    case 3:
        publish_map(w, false);
        break;
    case 4:
        publish_map(w, true);
        break;
    case 5:
    case 6:
        publish_sig(w, kinds[below(w, HF_LEN(kinds))]);
        break;
    default:
        if (w->published + 1 < RELEASES) /* the last one is for the end */
            publish_release(w);
        break;
    }
}

/* A source is empty, or away, for a while. */
static void break_source(struct world *w)
{
    unsigned index = some_folder(w);
    char folder[64];

    if (w->entries[index].copying)
        return;
    bool whole = below(w, 2) == 0;
    say(w, "%s: the source %s", entries[index].name, whole ? "is away" : "is empty");
    for (size_t i = 0; i < entries[index].files; i++)
        hf_simfs_delete(w->node->fs, source_of(index, i));
    if (whole) {
        (void)snprintf(folder, sizeof(folder), "/media/usb/%s/sub", entries[index].name);
        hf_simfs_delete(w->node->fs, folder);
        folder[strlen(folder) - strlen("/sub")] = '\0';
        hf_simfs_delete(w->node->fs, folder);
    }
    (void)hf_simloop_run_for(w->loop, below(w, 30 * SECOND));
    copy_all(w, index);
}

/* ---- what is in place
 * ------------------------------------------------------------------------------------------------ */

static const json_t *manifest_of(const struct world *w, unsigned index)
{
    const json_t *list = hf_json_at(hf_simapi_get(w->api, "EdgeNode", "node-1"), "status.manifests");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(hf_json_str_or(json_array_get(list, i), "name", ""), entries[index].name) == 0)
            return json_array_get(list, i);
    return NULL;
}

static bool is_in_place(const struct world *w, unsigned index)
{
    const struct entry *entry = &w->entries[index];

    for (size_t i = 0; i < entries[index].files; i++) {
        size_t n = 0;
        const char *bytes = content_of(w, index, i, &n);
        bool wanted = has(entry, entry->version, i);
        struct stat st;
        if (wanted && (bytes == NULL || which(w, index, i, bytes, n) != entry->version))
            return false;
        if (wanted && index != OBJ && hf_simfs_stat(w->node->fs, path_of(index, i), &st) &&
            (st.st_mode & 0777) != entries[index].mode)
            return false;
        if (!wanted && bytes != NULL && !entry->forgot)
            return false;
    }
    return strcmp(hf_json_str_or(manifest_of(w, index), "phase", ""), "Applied") == 0;
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void set_links(struct world *w, enum hf_simlink_state state)
{
    static const char *const names[] = {"up", "down", "silent"};

    say(w, "link %s", names[state]);
    hf_simnode_set_links(w->node, state, state);
    if (state == HF_SIM_LINK_UP) {
        w->cut_ns = 0;
        take_stale_back(w);
    } else if (w->cut_ns == 0) {
        w->cut_ns = hf_simloop_now_ns(w->loop);
    }
}

static void arm_crash(struct world *w)
{
    uint64_t n = 1 + below(w, 120);

    w->faulty = true;
    w->power = below(w, 3) != 0;
    hf_simfs_count_only(w->node->fs, below(w, 2) == 0 ? HF_SIMFS_WRITES : HF_SIMFS_ALL);
    hf_simfs_stop_at(w->node->fs, n);
    say(w, "%s at call %llu of the file system", w->power ? "power cut" : "kill", (unsigned long long)n);
}

static void sick_disk(struct world *w)
{
    static const int codes[] = {ENOSPC, EROFS, EIO, EDQUOT};
    int code = codes[below(w, HF_LEN(codes))];
    uint64_t times = 1 + below(w, 40);

    w->faulty = true;
    hf_simfs_count_only(w->node->fs, code == ENOSPC ? HF_SIMFS_GROWS : HF_SIMFS_WRITES);
    hf_simfs_fail_at(w->node->fs, 1 + below(w, 20), code, times);
    say(w, "%llu writes fail: %s", (unsigned long long)times, strerror(code));
    if (code == ENOSPC || code == EDQUOT)
        hf_simfeed_note_full_disk(w->feed);
}

static void heal_disk(struct world *w)
{
    hf_simfs_stop_at(w->node->fs, 0);
    hf_simfs_fail_at(w->node->fs, 0, 0, 0);
    hf_simfs_set_limit(w->node->fs, "/", 0);
    hf_simfs_set_read_only(w->node->fs, "/", false);
}

static void bad_disk_for_a_while(struct world *w)
{
    bool full = below(w, 2) == 0;

    say(w, "the disk is %s", full ? "full" : "read-only");
    w->faulty = true;
    if (full) {
        hf_simfeed_note_full_disk(w->feed);
        hf_simfs_set_limit(w->node->fs, "/", 1);
    } else {
        hf_simfs_set_read_only(w->node->fs, "/", true);
    }
    if (below(w, 2) == 0)
        operate(w);
    (void)hf_simloop_run_for(w->loop, SECOND + below(w, 30 * SECOND));
    hf_simfs_set_limit(w->node->fs, "/", 0);
    hf_simfs_set_read_only(w->node->fs, "/", false);
}

static void jump(struct world *w)
{
    const int64_t year = (int64_t)(365 * 24 * 60 * MINUTE);
    const int64_t offsets[] = {-(int64_t)HF_SIM_UNIX_START, 10 * year, -(int64_t)(3 * MINUTE),
                               (int64_t)(90 * MINUTE),      0,         0};
    int64_t offset = offsets[below(w, HF_LEN(offsets))];

    say(w, "clock off by %lld s", (long long)(offset / (int64_t)SECOND));
    hf_simnode_set_clock(w->node, offset);
    hf_simkubelet_set_clock(w->kubelet, offset);
}

/* Its pods go on meanwhile. */
static void restart_kubelet(struct world *w)
{
    say(w, "the kubelet is down");
    hf_simkubelet_set_up(w->kubelet, false);
    w->kubelet_up_ns = HF_NEVER;
    if (below(w, 2) == 0)
        publish_folder(w, POD, LAWFUL, false);
    (void)hf_simloop_run_for(w->loop, below(w, 40 * SECOND));
    say(w, "the kubelet is up");
    hf_simkubelet_set_up(w->kubelet, true);
    w->kubelet_up_ns = hf_simloop_now_ns(w->loop);
}

static void disturb_server(struct world *w)
{
    static const int codes[] = {500, 503, 429, 404};
    int code;

    switch (below(w, 6)) {
    case 0:
        say(w, "a sink of telemetry fails");
        hf_simfeed_disturb(w->feed);
        break;
    case 1:
        say(w, "the API server fails");
        code = codes[below(w, HF_LEN(codes))];
        /* Who asks to delete an object, and hears that there is none, has no reason to ask again. */
        w->entries[OBJ].forgot = w->entries[OBJ].forgot || code == 404;
        hf_simapi_fail(w->api, 1 + (unsigned)below(w, 8), code, below(w, 4 * SECOND));
        break;
    case 2:
        say(w, "the API server knows none of our kinds");
        hf_simapi_set_crds(w->api, false);
        hf_simapi_end_watches(w->api);
        (void)hf_simloop_run_for(w->loop, below(w, 20 * SECOND));
        hf_simapi_set_crds(w->api, true);
        break;
    case 3:
        say(w, "watches expire, and lists come from an old cache");
        hf_simapi_stale_cache(w->api, below(w, 2) == 0 ? hf_simapi_version(w->api) : below(w, 10));
        hf_simapi_compact(w->api);
        hf_simapi_expire_watches(w->api);
        (void)hf_simloop_run_for(w->loop, below(w, 20 * SECOND));
        hf_simapi_stale_cache(w->api, 0);
        break;
    case 4:
        say(w, "the ConfigMap is gone");
        (void)hf_simapi_delete(w->api, "ConfigMap", "map");
        (void)hf_simloop_run_for(w->loop, below(w, 20 * SECOND));
        put_map(w, w->entries[MAP].version, false);
        break;
    default:
        say(w, "watches end");
        hf_simapi_end_watches(w->api);
        break;
    }
}

/* Somebody with kubectl; the server takes a field that is changed from the set of its manager. */
static void drift_of_object(struct world *w)
{
    size_t file = below(w, entries[OBJ].files);
    json_t *object = json_object_get(w->cluster.objects, path_of(OBJ, file));
    bool removes = below(w, 2) == 0;

    if (object == NULL)
        return;
    say(w, "somebody %s '%s'", removes ? "removes" : "changes", path_of(OBJ, file));
    w->entries[OBJ].drift[file] = removes ? REMOVED : CHANGED;
    if (removes) {
        (void)json_object_del(w->cluster.objects, path_of(OBJ, file));
        return;
    }
    json_t *ours = json_array_get(hf_json_at(object, "metadata.managedFields"), 1);
    (void)json_object_del(json_object_get(ours, "fieldsV1"), "f:data");
    ssa_sim_put(object, "metadata.drift", json_true());
    ssa_sim_put(object, "data.text", json_string(DRIFT));
}

static void drift(struct world *w)
{
    unsigned index = (unsigned)below(w, ENTRIES);
    size_t file = below(w, entries[index].files);
    const char *path = path_of(index, file);
    struct entry *entry = &w->entries[index];
    struct stat st;

    if (index == OBJ)
        drift_of_object(w);
    if (index == OBJ || !hf_simfs_stat(w->node->fs, path, &st))
        return;
    switch (below(w, 3)) {
    case 0:
        say(w, "a local user changes '%s'", path);
        hf_simfs_put(w->node->fs, path, DRIFT, strlen(DRIFT), 0644);
        entry->drift[file] = entry->drifted[file] = CHANGED;
        break;
    case 1:
        say(w, "a local user removes '%s'", path);
        hf_simfs_delete(w->node->fs, path);
        entry->drift[file] = entry->drifted[file] = REMOVED;
        break;
    default:
        say(w, "a local user changes the mode of '%s'", path);
        hf_simfs_chmod(w->node->fs, path, 0666);
        break;
    }
}

struct pick {
    struct world *w;
    size_t n;
    char path[256];
};

static void pick_file(void *arg, const char *path, const struct stat *st)
{
    struct pick *pick = arg;

    if (S_ISREG(st->st_mode) && st->st_size > 0 && below(pick->w, ++pick->n) == 0)
        (void)snprintf(pick->path, sizeof(pick->path), "%s", path);
}

static struct entry *entry_at(struct world *w, const char *path)
{
    static const char folder[] = STATE "/manifests/";

    for (unsigned i = 0; i < ENTRIES; i++)
        if (strncmp(path, folder, strlen(folder)) == 0 && strncmp(path + strlen(folder), entries[i].name, 3) == 0)
            return &w->entries[i];
    return NULL;
}

/* The damaged file was written again, or it was a content that is gone, as old ones go. */
static bool is_mended(struct world *w, const struct entry *entry)
{
    struct stat st;

    if (!hf_simfs_stat(w->node->fs, entry->hurt, &st))
        return strstr(entry->hurt, "/b-") != NULL;
    return st.st_ino != entry->hurt_ino;
}

static const char *record_of(const struct world *w, unsigned index, size_t *ret_n)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/manifests/%s/record", STATE, entries[index].name);
    return hf_simfs_get(w->node->fs, path, ret_n);
}

/* A folder that could not be synced shows a record that a power cut takes back. */
static bool is_record_durable(const struct world *w, unsigned index)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/manifests/%s/record", STATE, entries[index].name);
    return hf_simfs_is_durable(w->node->fs, path);
}

static bool record_has(const struct world *w, unsigned index, const char *text)
{
    size_t n = 0;
    const char *bytes = record_of(w, index, &n);

    return bytes != NULL && memmem(bytes, n, text, strlen(text)) != NULL;
}

static bool is_recorded_as(const struct world *w, unsigned index, const char *phase)
{
    char field[32];

    (void)snprintf(field, sizeof(field), "\"phase\":\"%s\"", phase);
    return record_has(w, index, field);
}

/* A damaged file may also come into the cache by the rename of one that was not complete. A new file whose folder could
 * not be synced goes with a power cut, and the damaged one comes back. */
static void look_at_policy(struct world *w)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(w->node->fs, POLICY, &n);
    char hex[HF_SHA256_HEX];
    json_t *policy = NULL;
    bool is_whole = bytes != NULL && hf_cache_entry_parse((struct hf_view){bytes, n}, &policy, hex, NULL) == 0;

    json_decref(policy);
    if (bytes != NULL && !is_whole)
        w->no_policy = true;
    else if (is_whole && w->cut_ns == 0 && hf_simfs_is_durable(w->node->fs, POLICY))
        w->no_policy = false;
}

/* An entry whose newest content is in place again, and recorded, has all that it needs for a repair offline. */
static void look_for_mended(struct world *w)
{
    look_at_policy(w);
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct entry *entry = &w->entries[i];
        /* The record of `obj` has the inventory. If a set that lacks most objects passes first, the node knows no
         * others: a rollback to this set removes them. */
        bool whole = i != OBJ || entry->kinds[entry->version] == LAWFUL;
        if (entry->lost && whole && is_mended(w, entry) && is_recorded_as(w, i, "Applied") && is_record_durable(w, i) &&
            is_in_place(w, i))
            entry->lost = false;
    }
}

/* The engine makes a lost file of an entry again from the others; it stops, and asks a person, when two of them are
 * lost. So nothing is damaged while an earlier damage of the same entry is not mended. */
static bool may_damage(struct world *w, const char *path)
{
    const struct entry *entry = entry_at(w, path);

    if (strstr(path, ".damaged") != NULL)
        return false;
    if (entry == NULL || entry->hurt[0] == '\0' || strcmp(entry->hurt, path) == 0)
        return true;
    return !entry->lost && is_mended(w, entry);
}

static void note_damage(struct world *w, const char *path)
{
    struct entry *entry = entry_at(w, path);
    struct stat st;

    if (!hf_simfs_stat(w->node->fs, path, &st))
        return;
    if (entry == NULL) {
        w->no_policy = w->no_policy || strcmp(path, POLICY) == 0;
        return;
    }
    (void)snprintf(entry->hurt, sizeof(entry->hurt), "%s", path);
    entry->hurt_ino = st.st_ino;
    entry->lost = entry->lost || strstr(path, "/inventory") == NULL;
    entry->forgot = entry->forgot || strstr(path, entry->index == OBJ ? "/record" : "/inventory") != NULL;
}

/* One byte of a file of the state changes. */
static void damage(struct world *w)
{
    static const char *const folders[] = {STATE "/manifests", STATE "/manifests", STATE "/cache"};
    struct pick pick = {.w = w};
    const char *folder = folders[below(w, HF_LEN(folders))];
    struct stat st;
    size_t n = 0;

    if (!hf_simfs_stat(w->node->fs, folder, &st))
        return;
    hf_simfs_walk(w->node->fs, folder, pick_file, &pick);
    const unsigned char *bytes =
        pick.n > 0 && may_damage(w, pick.path) ? hf_simfs_get(w->node->fs, pick.path, &n) : NULL;
    if (n == 0)
        return;
    unsigned char *copy = malloc(n);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, n);
    copy[below(w, n)] ^= (unsigned char)(1 + below(w, 255));
    say(w, "a byte of '%s' changes", pick.path);
    hf_simfs_put(w->node->fs, pick.path, copy, n, 0600);
    free(copy);
    note_damage(w, pick.path);
}

static void stay_away(struct world *w)
{
    set_links(w, HF_SIM_LINK_DOWN);
    (void)hf_simloop_run_for(w->loop, (WINDOW_S + 35) * SECOND);
    publish_folder(w, some_folder(w), LAWFUL, below(w, 2) == 0);
    (void)hf_simloop_run_for(w->loop, 20 * SECOND + below(w, 20 * SECOND));
}

static void disturb(struct world *w)
{
    uint64_t pick = below(w, 100);

    if (pick < 16)
        arm_crash(w);
    else if (pick < 22 && w->node->alive)
        end_life(w, below(w, 2) == 0);
    else if (pick < 30)
        set_links(w, below(w, 2) == 0 ? HF_SIM_LINK_DOWN : HF_SIM_LINK_SILENT);
    else if (pick < 42)
        set_links(w, HF_SIM_LINK_UP);
    else if (pick < 48)
        sick_disk(w);
    else if (pick < 51)
        bad_disk_for_a_while(w);
    else if (pick < 56)
        jump(w);
    else if (pick < 63)
        disturb_server(w);
    else if (pick < 75)
        drift(w);
    else if (pick < 79)
        number("HF_SIM_DAMAGE", 1) ? damage(w) : operate(w);
    else if (pick < 81)
        break_source(w);
    else if (pick < 82)
        stay_away(w);
    else if (pick < 84)
        restart_kubelet(w);
    else
        operate(w);
}

/* ---- drift is repaired, the end ---------------------------------------------------------------------------------- */

/* Somebody who copied a version after `version` began with what it lacks, and paused: the source then had a set of
 * `version` without this file, which the node may have taken. */
static bool was_without(const struct entry *entry, unsigned version, size_t file)
{
    for (unsigned later = version + 1; later <= entry->version; later++)
        if (entry->slowly[later] && !has(entry, later, file))
            return true;
    return false;
}

/* Whether a missing file of an entry belongs there: all others that are there are of one version, which has it. */
static bool lacks(struct world *w, unsigned index, size_t missing)
{
    const struct entry *entry = &w->entries[index];
    unsigned version = 0;

    for (size_t file = 0; file < entries[index].files; file++) {
        size_t n = 0;
        const char *bytes = content_of(w, index, file, &n);
        unsigned found = bytes != NULL ? which(w, index, file, bytes, n) : 0;
        if (found == 0) /* missing, or what a local user wrote */
            continue;
        if (version != 0 && found != version)
            return false;
        version = found;
    }
    return version == 0 || (has(entry, version, missing) && !was_without(entry, version, missing));
}

/* Whether the entry's source delivers its newest version now, and the node may take it. */
static bool has_source(const struct world *w, unsigned index)
{
    const struct entry *entry = &w->entries[index];

    if (w->no_policy || (w->hold && w->cut_ns != 0) || entry->kinds[entry->version] != LAWFUL)
        return false;
    if (index == APP || index == POD)
        return !entry->copying && runs(index, entry->version);
    /* The newest digest is in the policy, which has to arrive, and an entry without one makes it invalid. */
    if (w->cut_ns != 0 || w->entries[SIG].kinds[w->entries[SIG].version] == UNPINNED)
        return false;
    if (index == OBJ)
        return !entry->copying && runs(OBJ, entry->version) && is_in_place(w, MAP);
    return index == MAP ? !w->half : runs(SIG, entry->version);
}

static bool is_drift(const struct world *w, unsigned index, size_t file)
{
    size_t n = 0;
    const char *bytes = content_of(w, index, file, &n);

    return bytes != NULL && n == strlen(DRIFT) && memcmp(bytes, DRIFT, n) == 0;
}

/* Where the inventory was damaged, a file with a local user's content may be somebody else's to the agent, which
 * refuses to replace it and waits for a person. If an attempt had begun, files of two sets may be in place: the agent
 * leaves all of them until a set is placed, and a person may have to allow a removal first. */
static bool waits_for_person(const struct world *w, unsigned index)
{
    if (!w->entries[index].forgot)
        return false;
    return record_has(w, index, "\"reason\":\"ForeignFile\"") ||
           (record_has(w, index, "\"reason\":\"PruneLimit\"") && record_has(w, index, "\"unproven\":true"));
}

/* The version of the good set; 0 if it is none of those that were published. */
static unsigned good_version(const struct world *w, unsigned index)
{
    size_t n = 0;
    const char *bytes = record_of(w, index, &n);
    const char *good = bytes != NULL ? memmem(bytes, n, "\"good\":{", strlen("\"good\":{")) : NULL;
    const char *digest =
        good != NULL ? memmem(good, n - (size_t)(good - bytes), "\"digest\":\"", strlen("\"digest\":\"")) : NULL;
    for (unsigned version = w->entries[index].version; digest != NULL && version > 0; version--)
        if (strncmp(digest + strlen("\"digest\":\""), w->entries[index].digests[version], 12) == 0)
            return version;
    return 0;
}

/* An attempt that failed may have put objects in place that the good set lacks. Nobody has their content then. */
static bool is_left_over(const struct world *w, unsigned index, size_t file)
{
    unsigned good = index == OBJ && record_has(w, OBJ, "\"unproven\":true") ? good_version(w, OBJ) : 0;

    return good != 0 && !has(&w->entries[OBJ], good, file);
}

static bool is_repaired(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < ENTRIES; i++)
        for (size_t file = 0; file < entries[i].files; file++) {
            struct entry *entry = &w->entries[i];
            size_t n = 0;
            const char *bytes = content_of(w, i, file, &n);
            bool changed = is_drift(w, i, file);
            bool removed =
                bytes == NULL && (!entries[i].gaps || lacks(w, i, file)); /* a later version may lack the file */
            if (bytes != NULL && !changed)
                entry->drift[file] = NO_DRIFT;
            if (i == OBJ && w->cut_ns != 0) /* nobody can look at objects, or put them back */
                continue;
            if (waits_for_person(w, i) || is_left_over(w, i, file))
                continue;
            if (entry->forgot && !lacks(w, i, file)) /* an older version had it, and nobody knows that it was ours */
                continue;
            /* Without a known good set, a trial that the local user has spoiled leaves what is there, and ends as
             * RolledBack. */
            bool spoiled = i == SIG && is_recorded_as(w, i, "RolledBack");
            bool repairs = !entry->lost || (i < POD && has_source(w, i) && !spoiled);
            if (entry->drift[file] != NO_DRIFT && (changed || removed) && repairs)
                return false;
        }
    return w->node->alive;
}

/* The newest release runs. */
static bool is_updated(const struct world *w)
{
    size_t n = 0;
    const void *bytes = hf_simfs_get(w->node->fs, HF_SIMNODE_TARGET, &n);
    const char *running = hf_simboard_running(w->node->board, HF_SIMNODE_UNIT);
    char version[32];

    if (w->published == 0)
        return true;
    (void)snprintf(version, sizeof(version), " 1.%zu.0 ", w->published);
    return bytes != NULL && hf_simsite_which(site, bytes, n) == w->published && strstr(running, version) != NULL;
}

/* The pods of the newest version run, and that of somebody else. */
static bool are_pods_running(const struct world *w)
{
    const struct entry *entry = &w->entries[POD];
    char name[16];

    for (size_t i = 0; i < entries[POD].files; i++) {
        (void)snprintf(name, sizeof(name), "p%zu", i);
        if (has(entry, entry->version, i) &&
            strcmp(hf_simkubelet_running(w->kubelet, "site", name), image_of(entry->version, i)) != 0)
            return false;
    }
    return strcmp(hf_simkubelet_running(w->kubelet, "default", "proxy"), "proxy") == 0;
}

static bool has_converged(void *arg)
{
    const struct world *w = arg;
    const json_t *self = hf_simapi_get(w->api, "EdgeNode", "node-1");
    unsigned version = 0;

    for (unsigned i = 0; i < ENTRIES; i++)
        if (!is_in_place(w, i))
            return false;
    return w->node->alive && is_updated(w) && are_pods_running(w) &&
           strcmp(hf_json_str_or(self, "status.contact.state", ""), "Fresh") == 0 &&
           sscanf(hf_simboard_running(w->node->board, "sig.service"), "release sig 1.%u.0", &version) == 1 &&
           version == w->entries[SIG].version;
}

static void look_left_over(void *arg, const char *path, const struct stat *st)
{
    struct world *w = arg;

    (void)st;
    MUST(w, strstr(path, ".holdfast") == NULL, "left behind: %s", path);
}

static void describe(struct world *w)
{
    const json_t *self = hf_simapi_get(w->api, "EdgeNode", "node-1");
    char *text = self == NULL ? NULL : json_dumps(json_object_get(self, "status"), JSON_COMPACT);

    for (size_t i = 0; text != NULL && i < strlen(text) && i < 2400; i += 300)
        say(w, "%.300s", text + i);
    free(text);
    for (unsigned i = 0; i < ENTRIES; i++)
        for (size_t file = 0; file < entries[i].files; file++)
            if (w->entries[i].drift[file] != NO_DRIFT)
                say(w, "'%s' was %s", path_of(i, file), w->entries[i].drift[file] == CHANGED ? "changed" : "removed");
    for (unsigned i = 0; i < ENTRIES; i++)
        say(w, "%s: %s, newest version %u, kind %d%s%s%s", entries[i].name,
            is_in_place(w, i) ? "in place" : "NOT in place", w->entries[i].version,
            w->entries[i].kinds[w->entries[i].version], has_source(w, i) ? " (has a source)" : "",
            w->entries[i].lost ? " (lost)" : "", w->entries[i].forgot ? " (forgot)" : "");
}

/* A person does what the message of ForeignFile asks for. */
static void remove_foreign(struct world *w)
{
    for (unsigned i = 0; i < OBJ; i++)
        for (size_t file = 0; w->entries[i].forgot && file < entries[i].files; file++) {
            if (!is_drift(w, i, file))
                continue;
            say(w, "a person removes '%s'", path_of(i, file));
            hf_simfs_delete(w->node->fs, path_of(i, file));
            w->entries[i].drift[file] = w->entries[i].drifted[file] = REMOVED;
        }
}

static bool is_drained(void *arg)
{
    const struct world *w = arg;

    return hf_simfeed_is_drained(w->feed);
}

/* Every event is acknowledged, and both sinks have it. After a long time without a sink, the agent tries again within
 * an hour; the next process tries at once. */
static void check_telemetry(struct world *w)
{
    unsigned acknowledged, n = hf_simfeed_events(w->feed, &acknowledged);

    MUST(w, n > 0, "no event of telemetry");
    hf_simfeed_stop(w->feed);
    hf_simfeed_heal(w->feed);
    if (!is_drained(w))
        end_life(w, false);
    bool met = hf_simloop_run_until(w->loop, is_drained, w, 2 * MINUTE);
    char missing[300];
    hf_simfeed_describe(w->feed, missing, sizeof(missing));
    MUST(w, met, "telemetry: of %u events, these did not reach both sinks:%s", n, missing);
}

static void converge(struct world *w)
{
    say(w, "everything is healed");
    heal_disk(w);
    remove_foreign(w);
    hf_simapi_fail(w->api, 0, 0, 0);
    set_links(w, HF_SIM_LINK_UP);
    hf_simnode_set_clock(w->node, 0);
    hf_simkubelet_set_clock(w->kubelet, 0);
    while (w->entries[APP].copying || w->entries[POD].copying || w->entries[OBJ].copying)
        (void)hf_simloop_run_for(w->loop, SECOND);
    publish_all(w);
    w->published = RELEASES - 1;
    publish_release(w);
    w->faulty = false;
    bool met = hf_simloop_run_until(w->loop, has_converged, w, 20 * MINUTE);
    if (!met)
        describe(w);
    MUST(w, met, "no convergence");
    (void)hf_simloop_run_for(w->loop, MINUTE);
    MUST(w, has_converged(w), "it did not stay so");
    check_others(w);
    check_journal(w);
    MUST(w, w->journal > 0, "the status has never shown the journal");
    hf_simfs_walk(w->node->fs, "/etc", look_left_over, w);
    check_telemetry(w);
}

/* ---- a world ----------------------------------------------------------------------------------------------------- */

static json_t *entry_json(unsigned index)
{
    switch (index) {
    case APP:
        return json_pack("{s:s, s:{s:s}, s:s, s:s, s:b}", "name", "app", "from", "path", "/media/usb/app", "to",
                         "Files", "path", "/etc/app/", "prune", 1);
    case MAP:
        return json_pack("{s:s, s:{s:{s:s, s:s}}, s:s, s:s, s:b}", "name", "map", "from", "configMap", "namespace",
                         "site", "name", "map", "to", "Files", "path", "/etc/map/", "prune", 1);
    case POD:
        return json_pack("{s:s, s:{s:s}, s:s, s:s, s:b}", "name", "pod", "from", "path", "/media/usb/pod", "to",
                         "StaticPods", "healthDeadline", "20s", "prune", 1);
    case OBJ:
        return json_pack("{s:s, s:{s:s}, s:s, s:s, s:b, s:[s]}", "name", "obj", "from", "path", "/media/usb/obj", "to",
                         "Cluster", "healthDeadline", "20s", "prune", 1, "dependsOn", "map");
    default:
        return json_pack("{s:s, s:{s:s}, s:s, s:s, s:{s:s}, s:s, s:[{s:s, s:s}]}", "name", "sig", "from", "path",
                         "/media/usb/sig/run", "to", "Files", "path", "/etc/sig/run", "restart", "systemdUnit",
                         "sig.service", "healthDeadline", "20s", "healthChecks", "name", "runs", "systemdUnitActive",
                         "sig.service");
    }
}

static void set_up_node(struct world *w)
{
    static const char config[] =
        "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
        "staticPodFolder: " PODS "\nmanifests:\n  files: [/etc/app/**, /etc/map/**]\n"
        "  staticPods: true\n  cluster: true\n"
        "  paths: [/media/usb/app, /media/usb/app/**, /media/usb/pod, /media/usb/pod/**, /media/usb/obj,"
        " /media/usb/obj/**]\n"
        "signedPolicies:\n  manifests:\n    files: [/etc/sig/**]\n"
        "    paths: [/media/usb/sig/**]\n    units: [sig.service]\n";
    const char *log = getenv("HF_SIM_LOG");
    bool slow = w->seed % 4 >= 2; /* with both values of onExpiry */

    w->pause_ns = number("HF_SIM_PAUSE", slow ? 200 : 0) * HF_NS_PER_MS;
    ck_assert_int_eq(hf_config_parse(HF_VIEW(config), "agent.yaml", &w->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(w->config), 0);
    struct hf_simnode_params params = {.loop = w->loop,
                                       .net = w->net,
                                       .site = site,
                                       .name = "node-1",
                                       .server = "https://api",
                                       .api = HF_KUBE_APISERVER,
                                       .pauses_ns = w->pause_ns,
                                       .late_ns = number("HF_SIM_LATE", slow ? 100 : 0) * HF_NS_PER_MS,
                                       .log = log != NULL,
                                       .config = w->config};
    w->node = hf_simnode_new(&params);
    hf_simfs_keep_trace(w->node->fs, getenv("HF_SIM_LOG") != NULL || getenv("HF_SIM_SEED") != NULL);
    hf_simfs_put(w->node->fs, "/etc/holdfast/trust.d/site.pem", public_key.p, public_key.n, 0644);
    hf_simfs_mkdir(w->node->fs, "/etc/sig", 0755);
    hf_simfs_mkdir(w->node->fs, STATE, 0700);
    hf_simfs_mkdir(w->node->fs, HF_SIMFEED_DIR, 0700);
    w->feed = hf_simfeed_new(w->loop, w->net);
    for (size_t i = 0; i < HF_LEN(others); i++)
        hf_simfs_put(w->node->fs, others[i].path, others[i].text, strlen(others[i].text), 0644);
    hf_simboard_service(w->node->board, "sig.service", 8081, "/etc/sig/run");
    w->kubelet = hf_simkubelet_new(w->loop, w->node->fs, PODS, "node-1");
    hf_simboard_listen(w->node->board, 10255, hf_simkubelet_list, w->kubelet); /* its read-only port */
}

static void set_up(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->seed = seed;
    w->loop = hf_simloop_new(seed);
    w->net = hf_simnet_new(w->loop);
    w->api = hf_simapi_new(w->loop, w->net, "https://api");
    w->hold = seed % 2 == 0;
    hf_simapi_on_change(w->api, object_changed, w);
    hf_simsite_serve(site, w->net);
    set_up_node(w);
    (void)hf_simapi_put_text(w->api, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"node-1\","
                                     "\"labels\":{\"kubernetes.io/arch\":\"amd64\"}}}");
    for (unsigned i = 0; i < ENTRIES; i++) {
        w->entries[i].w = w;
        w->entries[i].index = i;
        w->entries[i].json = entry_json(i);
    }
    ssa_sim_init(&w->cluster);
    (void)json_object_set_new(w->cluster.objects, MAPS "theirs", json_pack("{s:s}", "kind", "ConfigMap"));
    hf_simapi_on_rest(w->api, serve_rest, w);
    publish_all(w);
    check_others(w);
    hf_simloop_after_each(w->loop, after_each, w);
    begin_life(w);
}

static void tear_down(struct world *w)
{
    hf_simloop_after_each(w->loop, NULL, NULL);
    hf_simfeed_end(w->feed);
    hf_simnode_free(w->node);
    hf_simapi_free(w->api);
    hf_simnet_free(w->net);
    hf_simloop_free(w->loop);
    hf_simfeed_free(w->feed);
    hf_simkubelet_free(w->kubelet);
    ssa_sim_done(&w->cluster);
    hf_config_free(w->config);
    for (unsigned i = 0; i < ENTRIES; i++)
        json_decref(w->entries[i].json);
}

/* Without faults of the disk, with or without network: nothing of what a local user did is left. */
static void expect_repair(struct world *w)
{
    heal_disk(w);
    w->faulty = false;
    /* 10 s is the policy's interval; what a restart or a trial of `sig` holds up takes longer. While the node has no
     * readable policy, the interval is 5 minutes, that of the default policy. */
    bool met = hf_simloop_run_until(w->loop, is_repaired, w, (w->no_policy ? 7 : 2) * MINUTE);
    if (!met)
        describe(w);
    MUST(w, met, "drift was not repaired");
    w->journal_checked = 0;
    (void)hf_simloop_run_until(w->loop, is_journal_whole, w, MINUTE);
    check_journal(w);
    /* Where the disk failed at the end of a repair, the next look finds nothing to do, and a power cut brings the
     * drift back, until the agent starts. */
    for (unsigned i = 0; i < ENTRIES; i++)
        for (size_t file = 0; file < entries[i].files; file++)
            if (i == OBJ || hf_simfs_is_durable(w->node->fs, path_of(i, file)))
                w->entries[i].drifted[file] = w->entries[i].drift[file];
}

START_TEST(faults_in_sequence)
{
    static struct world world;
    struct world *w = &world;
    uint64_t faults = number("HF_SIM_FAULTS", DEFAULT_FAULTS);

    set_up(w, number("HF_SIM_SEED", number("HF_SIM_FIRST", 1) + (uint64_t)_i));
    bool met = hf_simloop_run_until(w->loop, has_converged, w, 5 * MINUTE);
    if (!met)
        describe(w);
    MUST(w, met, "nothing is in place without a fault");
    if (w->pause_ns != 0) /* a power cut must not lose the record that the first set is good */
        (void)hf_simloop_run_for(w->loop, 10 * SECOND);
    for (uint64_t i = 1; i <= faults; i++) {
        disturb(w);
        (void)hf_simloop_run_for(w->loop, SECOND / 20 + below(w, 2 * SECOND));
        check_others(w);
        look_for_mended(w);
        if (i % 100 == 0)
            expect_repair(w);
    }
    converge(w);
    tear_down(w);
}
END_TEST

static void make_site(void)
{
    struct hf_buf public_stranger = HF_BUF_INIT(1000);

    make_paths();
    site = hf_simsite_new("edge", RELEASES, tempers);
    ck_assert_int_eq(hf_trust_generate(&key, &public_key, NULL), 0);
    ck_assert_int_eq(hf_trust_generate(&stranger, &public_stranger, NULL), 0);
    hf_buf_done(&public_stranger);
}

static void free_site(void)
{
    hf_simsite_free(site);
    hf_buf_done(&key);
    hf_buf_done(&public_key);
    hf_buf_done(&stranger);
}

static void cases(TCase *tc)
{
    uint64_t seeds = getenv("HF_SIM_SEED") != NULL ? 1 : number("HF_SIM_SEEDS", DEFAULT_SEEDS);

    tcase_add_unchecked_fixture(tc, make_site, free_site);
    if (getenv("HF_SIM_SEED") == NULL && getenv("HF_SIM_SEEDS") == NULL)
        hf_walk_add_loop_test(tc, faults_in_sequence, seeds);
    else
        tcase_add_loop_test(tc, faults_in_sequence, 0, (int)seeds);
}

HF_TEST_MAIN("sim/policy", cases)
