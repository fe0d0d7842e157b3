/* SPDX-License-Identifier: Apache-2.0 */
#include "web/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/clock_posix.h"

/* The process' own gauges, from getrusage(2) and /proc/self (proc(5)), read only when a scrape asks. */
struct process_metrics {
    struct hf_metric *cpu;
    struct hf_metric *memory;
    struct hf_metric *descriptors;
};

static bool read_line(const char *path, char *text, size_t n)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    bool ok = fgets(text, (int)n, file) != NULL;
    (void)fclose(file);
    return ok;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static size_t count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        (void)closedir(dir);
    return n > 3 ? n - 3 : 0; /* without ".", ".." and this one */
}

static void collect(void *arg)
{
    struct process_metrics *m = arg;
    char statm[256];
    unsigned long long resident = 0;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) == 0)
        hf_metric_total(m->cpu, seconds(usage.ru_utime) + seconds(usage.ru_stime));
    if (read_line("/proc/self/statm", statm, sizeof(statm)) && sscanf(statm, "%*s %llu", &resident) == 1)
        hf_metric_set(m->memory, (double)(resident * page));
    hf_metric_set(m->descriptors, (double)count_descriptors());
}

int hf_web_process_metrics(struct hf_metrics *metrics)
{
    /* one for each process, valid as long as the process */
    static struct process_metrics m;

    m = (struct process_metrics){
        .cpu =
            hf_metric_counter(metrics, "holdfast_process_cpu_seconds_total", "User and system time spent, in seconds."),
        .memory = hf_metric_gauge(metrics, "holdfast_process_resident_memory_bytes", "Resident memory, in bytes."),
        .descriptors = hf_metric_gauge(metrics, "holdfast_process_open_fds", "Open file descriptors."),
    };
    uint64_t now_s = hf_unix_ns(hf_clock_posix()) / HF_NS_PER_S;
    hf_metric_set(hf_metric_gauge(metrics, "holdfast_process_start_time_seconds",
                                  "Start time of the process, in seconds since 1970."),
                  (double)now_s);
    return hf_metrics_on_collect(metrics, collect, &m);
}
