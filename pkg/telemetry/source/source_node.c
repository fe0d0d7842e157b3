/* SPDX-License-Identifier: Apache-2.0 */
/* The source `node`: processor, memory, disks, network, temperature, pressure, and control groups of pods.
 *
 * Each period is one pass over a few kernel files; the files of the node stay open. Names follow the Prometheus node
 * exporter where it has one, with base units. Counters are the kernel's own, so they miss nothing between two passes.
 * Events have no id, because the source reads no value twice. Without room the pass ends early: the next one has newer
 * values. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "telemetry/source/source_common.h"

enum {
    MAX_TEXT = 32 << 10, /* size of one kernel file */
    MAX_PATH = 512,
    MAX_ZONES = 16,
    MAX_PODS = 160,
    MAX_DEVICES = 32, /* lines read from diskstats and net/dev */
    PODS_EVERY = 3,   /* periods between two searches for pods */
    SECTOR = 512,
};

enum node_file { F_STAT, F_MEMINFO, F_LOADAVG, F_DISKSTATS, F_NET, F_UPTIME, F_PSI_CPU, F_PSI_MEMORY, F_PSI_IO, FILES };

static const char *const file_names[FILES] = {"stat",   "meminfo",      "loadavg",         "diskstats",  "1/net/dev",
                                              "uptime", "pressure/cpu", "pressure/memory", "pressure/io"};

struct pod {
    char uid[64];
    char path[MAX_PATH];
};

struct node {
    struct hf_source source;
    const struct hf_telemetry_env *env;
    const struct hf_intake *intake;
    struct hf_timer *timer;
    uint64_t period_ns;
    int fds[FILES]; /* -1: missing */
    char zones[MAX_ZONES][16];
    size_t n_zones;
    struct pod *pods;
    size_t n_pods;
    unsigned passes;
    uint64_t busy, all; /* processor time at the last pass, in ticks */
    char *text;
    bool stopped; /* no room: skip the end of this pass */
    uint64_t unix_ns;
};

/* ---- giving ------------------------------------------------------------------------------------------------------ */

static void give(struct node *node, enum hf_value_kind kind, const char *name, double value, const char *label,
                 struct hf_view label_value)
{
    struct hf_event event = {
        .kind = HF_EVENT_METRIC,
        .source_class = HF_SOURCE_NODE,
        .severity = HF_SEVERITY_INFO,
        .unix_ns = node->unix_ns,
        .source = HF_VIEW("node"),
        .value_kind = kind,
        .name = hf_view_of(name),
        .value = value,
    };

    if (node->stopped)
        return;
    if (label != NULL)
        event.attributes[event.n_attributes++] = (struct hf_attribute){hf_view_of(label), label_value};
    node->stopped = hf_source_offer(node->intake, &event, NULL) == -EAGAIN;
}

static void gauge(struct node *node, const char *name, double value)
{
    give(node, HF_VALUE_GAUGE, name, value, NULL, HF_VIEW(""));
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Returns terminated text; NULL if it cannot be read. */
static char *read_fd(struct node *node, int fd)
{
    ssize_t n = fd < 0 ? -1 : node->env->fs->pread(node->env->fs->ctx, fd, node->text, MAX_TEXT - 1, 0);

    if (n <= 0)
        return NULL;
    node->text[n] = '\0';
    return node->text;
}

static char *read_path(struct node *node, const char *path)
{
    const struct hf_fs_ops *fs = node->env->fs;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY);
    char *text = read_fd(node, fd);

    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    return text;
}

/* Reads the number after `key` at the start of a line. */
static bool number_after(const char *text, const char *key, uint64_t *ret)
{
    size_t n = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0) {
            *ret = strtoull(line + n, NULL, 10);
            return true;
        }
        if (*line == '\0')
            break;
    }
    return false;
}

static size_t numbers_of(const char *text, uint64_t *numbers, size_t max)
{
    size_t n = 0;

    while (n < max) {
        char *end;
        while (*text == ' ' || *text == '\t')
            text++;
        if (*text < '0' || *text > '9')
            break;
        numbers[n++] = strtoull(text, &end, 10);
        text = end;
    }
    return n;
}

/* ---- processor and memory ---------------------------------------------------------------------------------------- */

static void look_at_cpu(struct node *node)
{
    static const char *const modes[] = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};
    uint64_t ticks[HF_LEN(modes)] = {0}, all = 0;
    const char *text = read_fd(node, node->fds[F_STAT]);
    double per_second = (double)sysconf(_SC_CLK_TCK);

    if (text == NULL || strncmp(text, "cpu ", 4) != 0)
        return;
    size_t n = numbers_of(text + 4, ticks, HF_LEN(modes));
    for (size_t i = 0; i < n; i++) {
        all += ticks[i];
        give(node, HF_VALUE_COUNTER, "node_cpu_seconds_total", (double)ticks[i] / per_second, "mode",
             hf_view_of(modes[i]));
    }
    uint64_t busy = all - ticks[3] - ticks[4];
    if (node->all > 0 && all > node->all && busy >= node->busy)
        gauge(node, "node_cpu_utilization_ratio", (double)(busy - node->busy) / (double)(all - node->all));
    node->all = all;
    node->busy = busy;
}

static void look_at_memory(struct node *node)
{
    static const struct {
        const char *key, *name;
    } rows[] = {
        {"MemTotal:", "node_memory_MemTotal_bytes"},     {"MemAvailable:", "node_memory_MemAvailable_bytes"},
        {"MemFree:", "node_memory_MemFree_bytes"},       {"Dirty:", "node_memory_Dirty_bytes"},
        {"SwapTotal:", "node_memory_SwapTotal_bytes"},   {"SwapFree:", "node_memory_SwapFree_bytes"},
        {"SUnreclaim:", "node_memory_SUnreclaim_bytes"},
    };
    const char *text = read_fd(node, node->fds[F_MEMINFO]);
    uint64_t kib;

    for (size_t i = 0; text != NULL && i < HF_LEN(rows); i++)
        if (number_after(text, rows[i].key, &kib))
            gauge(node, rows[i].name, (double)kib * 1024);
}

static void look_at_load(struct node *node)
{
    static const char *const names[] = {"node_load1", "node_load5", "node_load15"};
    char *text = read_fd(node, node->fds[F_LOADAVG]);

    for (size_t i = 0; text != NULL && i < HF_LEN(names); i++)
        gauge(node, names[i], strtod(text, &text));
    text = read_fd(node, node->fds[F_UPTIME]);
    if (text != NULL)
        gauge(node, "node_uptime_seconds", strtod(text, NULL));
}

static void look_at_pressure(struct node *node)
{
    static const struct {
        enum node_file file;
        const char *name;
    } rows[] = {{F_PSI_CPU, "node_pressure_cpu_waiting_seconds_total"},
                {F_PSI_MEMORY, "node_pressure_memory_waiting_seconds_total"},
                {F_PSI_IO, "node_pressure_io_waiting_seconds_total"}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        const char *text = read_fd(node, node->fds[rows[i].file]);
        const char *total = text != NULL && strncmp(text, "some ", 5) == 0 ? strstr(text, "total=") : NULL;
        if (total != NULL)
            give(node, HF_VALUE_COUNTER, rows[i].name, (double)strtoull(total + 6, NULL, 10) / 1e6, NULL, HF_VIEW(""));
    }
}

/* ---- disks and network ------------------------------------------------------------------------------------------- */

/* True for whole disks: partitions, loop and ram devices only repeat their numbers. */
static bool is_disk(struct hf_view name)
{
    const char *last = name.p + name.n - 1;

    if (hf_view_starts(name, "loop") || hf_view_starts(name, "ram") || hf_view_starts(name, "zram"))
        return false;
    if (hf_view_starts(name, "nvme") || hf_view_starts(name, "mmcblk")) {
        const char *p = last;
        while (p > name.p && *p >= '0' && *p <= '9')
            p--;
        return *p != 'p';
    }
    return !((hf_view_starts(name, "sd") || hf_view_starts(name, "vd") || hf_view_starts(name, "hd")) && *last >= '0' &&
             *last <= '9');
}

static void look_at_disks(struct node *node)
{
    static const struct {
        size_t field;
        const char *name;
        double unit;
    } rows[] = {
        {0, "node_disk_reads_completed_total", 1},    {2, "node_disk_read_bytes_total", SECTOR},
        {4, "node_disk_writes_completed_total", 1},   {6, "node_disk_written_bytes_total", SECTOR},
        {9, "node_disk_io_time_seconds_total", 1e-3},
    };
    char *line = read_fd(node, node->fds[F_DISKSTATS]);

    for (size_t taken = 0; line != NULL && *line != '\0' && taken < MAX_DEVICES;) {
        uint64_t device[2], fields[10];
        char *name = line + strspn(line, " 0123456789");
        size_t n = strcspn(name, " \n");
        const struct hf_view view = {name, n};
        if (numbers_of(line, device, 2) == 2 && n > 0 && is_disk(view) && numbers_of(name + n, fields, 10) == 10) {
            taken++;
            for (size_t i = 0; i < HF_LEN(rows); i++)
                give(node, HF_VALUE_COUNTER, rows[i].name, (double)fields[rows[i].field] * rows[i].unit, "device",
                     view);
        }
        line = strchr(name, '\n');
        line += line != NULL;
    }
}

static void look_at_network(struct node *node)
{
    static const struct {
        size_t field;
        const char *name;
    } rows[] = {
        {0, "node_network_receive_bytes_total"},  {2, "node_network_receive_errs_total"},
        {3, "node_network_receive_drop_total"},   {8, "node_network_transmit_bytes_total"},
        {10, "node_network_transmit_errs_total"}, {11, "node_network_transmit_drop_total"},
    };
    char *line = read_fd(node, node->fds[F_NET]);

    for (size_t taken = 0; line != NULL && *line != '\0' && taken < MAX_DEVICES;) {
        uint64_t fields[16];
        char *name = line + strspn(line, " "), *end = strchr(line, '\n');
        size_t n = strcspn(name, ":\n ");
        const struct hf_view view = {name, n};
        /* Skips the veth of each pod: the pods' own metrics say more. */
        if (name[n] == ':' && !hf_view_eq(view, "lo") && !hf_view_starts(view, "veth") &&
            !hf_view_starts(view, "cali") && numbers_of(name + n + 1, fields, 16) == 16) {
            taken++;
            for (size_t i = 0; i < HF_LEN(rows); i++)
                give(node, HF_VALUE_COUNTER, rows[i].name, (double)fields[rows[i].field], "device", view);
        }
        line = end != NULL ? end + 1 : NULL;
    }
}

static void look_at_filesystem(struct node *node, const char *path, const char *mountpoint)
{
    const struct hf_fs_ops *fs = node->env->fs;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);
    struct statvfs st;

    if (fd < 0)
        return;
    if (fs->fstatvfs(fs->ctx, fd, &st) == 0 && st.f_blocks > 0) {
        const struct hf_view where = hf_view_of(mountpoint);
        give(node, HF_VALUE_GAUGE, "node_filesystem_size_bytes", (double)st.f_blocks * (double)st.f_frsize,
             "mountpoint", where);
        give(node, HF_VALUE_GAUGE, "node_filesystem_avail_bytes", (double)st.f_bavail * (double)st.f_frsize,
             "mountpoint", where);
        if (st.f_files > 0)
            give(node, HF_VALUE_GAUGE, "node_filesystem_files_free", (double)st.f_favail, "mountpoint", where);
    }
    (void)fs->close(fs->ctx, fd);
}

static void look_at_filesystems(struct node *node)
{
    char root[MAX_PATH];

    (void)snprintf(root, sizeof(root), "%s/1/root", node->env->proc);
    look_at_filesystem(node, root, "/"); /* the host's, also from inside a pod */
    look_at_filesystem(node, node->env->dir, node->env->dir);
}

/* ---- temperature ------------------------------------------------------------------------------------------------- */

static void look_at_temperature(struct node *node)
{
    char path[MAX_PATH];

    for (size_t i = 0; i < node->n_zones; i++) {
        (void)snprintf(path, sizeof(path), "%s/class/thermal/thermal_zone%s/temp", node->env->sys, node->zones[i]);
        const char *text = read_path(node, path);
        if (text != NULL)
            give(node, HF_VALUE_GAUGE, "node_thermal_zone_temp_celsius", strtod(text, NULL) / 1000, "zone",
                 hf_view_of(node->zones[i]));
    }
}

static int keep_zone(void *arg, const char *name, unsigned char type)
{
    struct node *node = arg;
    static const char prefix[] = "thermal_zone";

    (void)type;
    if (node->n_zones < MAX_ZONES && strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
        strlen(name + sizeof(prefix) - 1) < sizeof(node->zones[0]))
        (void)snprintf(node->zones[node->n_zones++], sizeof(node->zones[0]), "%.15s", name + sizeof(prefix) - 1);
    return 0;
}

static void list_folder(struct node *node, const char *path, int (*visit)(void *, const char *, unsigned char),
                        void *arg)
{
    const struct hf_fs_ops *fs = node->env->fs;
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return;
    (void)fs->list(fs->ctx, fd, visit, arg);
    (void)fs->close(fs->ctx, fd);
}

/* ---- pods -------------------------------------------------------------------------------------------------------- */

struct pod_search {
    struct node *node;
    const char *folder;
};

/* "pod<uid>" or "kubepods-burstable-pod<uid with _>.slice" */
static int keep_pod(void *arg, const char *name, unsigned char type)
{
    const struct pod_search *search = arg;
    struct node *node = search->node;
    const char *uid = strncmp(name, "pod", 3) == 0 ? name + 3 : NULL;

    (void)type;
    if (uid == NULL && strncmp(name, "kubepods", 8) == 0 && (uid = strstr(name, "-pod")) != NULL)
        uid += 4;
    if (uid == NULL || node->n_pods >= MAX_PODS || strlen(name) > 200 || strlen(search->folder) > 250)
        return 0;
    struct pod *pod = &node->pods[node->n_pods];
    size_t n = HF_MIN(strcspn(uid, "."), sizeof(pod->uid) - 1);
    for (size_t i = 0; i < n; i++)
        pod->uid[i] = uid[i] == '_' ? '-' : uid[i];
    pod->uid[n] = '\0';
    (void)snprintf(pod->path, sizeof(pod->path), "%.250s/%.200s", search->folder, name);
    node->n_pods++;
    return 0;
}

static void find_pods(struct node *node)
{
    static const char *const folders[] = {
        "kubepods.slice",
        "kubepods.slice/kubepods-burstable.slice",
        "kubepods.slice/kubepods-besteffort.slice",
        "kubepods",
        "kubepods/burstable",
        "kubepods/besteffort",
    };
    char folder[MAX_PATH];

    node->n_pods = 0;
    for (size_t i = 0; i < HF_LEN(folders); i++) {
        struct pod_search search = {.node = node, .folder = folder};
        (void)snprintf(folder, sizeof(folder), "%s/fs/cgroup/%s", node->env->sys, folders[i]);
        list_folder(node, folder, keep_pod, &search);
    }
}

static const char *read_group(struct node *node, const struct pod *pod, const char *name)
{
    char path[MAX_PATH + 32];

    (void)snprintf(path, sizeof(path), "%s/%s", pod->path, name);
    return read_path(node, path);
}

static void look_at_pod(struct node *node, const struct pod *pod)
{
    const struct hf_view uid = hf_view_of(pod->uid);
    uint64_t usec, inactive = 0, n;
    const char *text = read_group(node, pod, "cpu.stat");

    if (text == NULL)
        return; /* the pod is gone */
    if (number_after(text, "usage_usec ", &usec))
        give(node, HF_VALUE_COUNTER, "pod_cpu_usage_seconds_total", (double)usec / 1e6, "k8s.pod.uid", uid);
    if (number_after(text, "throttled_usec ", &usec))
        give(node, HF_VALUE_COUNTER, "pod_cpu_throttled_seconds_total", (double)usec / 1e6, "k8s.pod.uid", uid);
    text = read_group(node, pod, "memory.stat");
    if (text != NULL)
        (void)number_after(text, "inactive_file ", &inactive);
    text = read_group(node, pod, "memory.current");
    if (text != NULL && numbers_of(text, &n, 1) == 1)
        give(node, HF_VALUE_GAUGE, "pod_memory_working_set_bytes", (double)(n > inactive ? n - inactive : 0),
             "k8s.pod.uid", uid);
    text = read_group(node, pod, "memory.events");
    if (text != NULL && number_after(text, "oom_kill ", &n))
        give(node, HF_VALUE_COUNTER, "pod_oom_kills_total", (double)n, "k8s.pod.uid", uid);
}

/* ---- a pass ------------------------------------------------------------------------------------------------------ */

static void open_files(struct node *node)
{
    const struct hf_fs_ops *fs = node->env->fs;
    char path[MAX_PATH];

    for (size_t i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", node->env->proc, file_names[i]);
        node->fds[i] = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY);
        if (i == F_NET && node->fds[i] < 0) { /* without permission for process 1 */
            (void)snprintf(path, sizeof(path), "%s/net/dev", node->env->proc);
            node->fds[i] = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY);
        }
    }
    (void)snprintf(path, sizeof(path), "%s/class/thermal", node->env->sys);
    list_folder(node, path, keep_zone, node);
}

static void look(void *arg)
{
    static void (*const looks[])(struct node *) = {look_at_cpu,         look_at_memory,     look_at_load,
                                                   look_at_pressure,    look_at_disks,      look_at_network,
                                                   look_at_filesystems, look_at_temperature};
    struct node *node = arg;

    hf_timer_arm(node->env->sched, node->timer, node->period_ns);
    node->text = malloc(MAX_TEXT);
    if (node->text == NULL)
        return;
    node->stopped = false;
    node->unix_ns = hf_unix_ns(node->env->clock);
    if (node->passes++ % PODS_EVERY == 0)
        find_pods(node);
    for (size_t i = 0; i < HF_LEN(looks); i++)
        looks[i](node);
    for (size_t i = 0; i < node->n_pods; i++)
        look_at_pod(node, &node->pods[i]);
    free(hf_steal(node->text));
}

static void resume(HF_UNUSED struct hf_source *source)
{
    /* the next period has newer values */
}

static void node_free(struct hf_source *source)
{
    struct node *node = hf_container_of(source, struct node, source);

    for (size_t i = 0; i < FILES; i++)
        if (node->fds[i] >= 0)
            (void)node->env->fs->close(node->env->fs->ctx, node->fds[i]);
    hf_timer_free(node->env->sched, node->timer);
    free(node->pods);
    free(node);
}

int hf_source_node_new(const struct hf_telemetry_sources *sources, const struct hf_telemetry_env *env,
                       const struct hf_intake *intake, struct hf_source **ret_source, struct hf_err *err)
{
    struct node *node = calloc(1, sizeof(*node));

    if (node == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    node->source = (struct hf_source){.name = "node", .resume = resume, .free = node_free};
    node->env = env;
    node->intake = intake;
    node->period_ns = sources->node_period_ns != 0 ? sources->node_period_ns : 10 * HF_NS_PER_S;
    for (size_t i = 0; i < FILES; i++)
        node->fds[i] = -1;
    node->pods = calloc(MAX_PODS, sizeof(*node->pods)); /* untouched pages cost nothing */
    node->timer = hf_timer_new(env->sched, look, node);
    if (node->pods == NULL || node->timer == NULL) {
        node_free(&node->source);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    open_files(node);
    hf_timer_arm(env->sched, node->timer, 0);
    *ret_source = &node->source;
    return 0;
}
