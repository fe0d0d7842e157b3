/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/telemetry/source_fixture.h"

static struct hf_source *source;

static void make_folders(const char *path)
{
    char copy[256];

    (void)snprintf(copy, sizeof(copy), "%s", path);
    for (char *p = copy; (p = strchr(p, '/')) != NULL; *p++ = '/') {
        *p = '\0';
        (void)mkdir(below(copy), 0700);
    }
}

static void file(const char *path, const char *text)
{
    make_folders(path);
    (void)unlink(below(path));
    (void)put(path, text);
}

static void make_machine(void)
{
    file("proc/stat", "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 100 0 50 800 50 0 0 0 0 0\nintr 1\n");
    file("proc/meminfo",
         "MemTotal:        1000 kB\nMemFree:          300 kB\nMemAvailable:     600 kB\nSwapTotal: 0 kB\n");
    file("proc/loadavg", "0.50 0.25 0.10 1/100 1234\n");
    file("proc/uptime", "123.45 200.00\n");
    file("proc/diskstats", "   7       0 loop0 1 2 3 4 5 6 7 8 9 10 11\n"
                           " 179       0 mmcblk0 10 1 200 30 40 2 600 70 0 8000 90 0 0 0 0\n"
                           " 179       1 mmcblk0p1 10 1 200 30 40 2 600 70 0 8000 90\n");
    file("proc/1/net/dev", "Inter-|   Receive                                                |  Transmit\n"
                           " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
                           "drop fifo colls carrier compressed\n"
                           "    lo:  999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
                           "  eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n"
                           "veth12: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n");
    file("proc/pressure/cpu", "some avg10=1.00 avg60=0.50 avg300=0.10 total=2500000\n");
    file("proc/1/root/x", "");
    file("sys/class/thermal/thermal_zone0/temp", "48500\n");
    file("sys/fs/cgroup/kubepods/burstable/podaa-bb/cpu.stat",
         "usage_usec 1500000\nuser_usec 1\nthrottled_usec 250000\n");
    file("sys/fs/cgroup/kubepods/burstable/podaa-bb/memory.current", "5000\n");
    file("sys/fs/cgroup/kubepods/burstable/podaa-bb/memory.stat", "anon 1\ninactive_file 1000\n");
    file("sys/fs/cgroup/kubepods/burstable/podaa-bb/memory.events", "low 0\noom_kill 2\n");
    file("sys/fs/cgroup/kubepods.slice/kubepods-podcc_dd.slice/cpu.stat", "usage_usec 7\n");
}

static const char *find_line(const char *name, const char *label)
{
    char want[160];

    (void)snprintf(want, sizeof(want), "\"name\":\"%s\"", name);
    for (size_t i = fix.n; i-- > 0;)
        if (strstr(fix.lines[i], want) != NULL && (label == NULL || strstr(fix.lines[i], label) != NULL))
            return fix.lines[i];
    return NULL;
}

static void ck_value(const char *name, const char *label, double value)
{
    const char *line = find_line(name, label);

    ck_assert_msg(line != NULL, "no %s", name);
    double got = strtod(strstr(line, "\"value\":") + 8, NULL);
    ck_assert_msg(got > value - 1e-9 && got < value + 1e-9, "%s: %g, not %g", name, got, value);
}

static void start(void)
{
    static char proc_path[128], sys_path[128];
    const struct hf_telemetry_sources sources = {.node = true, .node_period_ns = 10 * HF_NS_PER_S};
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(proc_path, sizeof(proc_path), "%s/proc", dir);
    (void)snprintf(sys_path, sizeof(sys_path), "%s/sys", dir);
    world.proc = proc_path;
    world.sys = sys_path;
    ck_assert_int_eq(hf_source_node_new(&sources, &world, &intake, &source, &err), 0);
}

START_TEST(figures)
{
    make_machine();
    start();
    run_s(1);
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    ck_value("node_cpu_seconds_total", "\"mode\":\"system\"", 50 * tick);
    ck_assert_ptr_null(find_line("node_cpu_utilization_ratio", NULL)); /* of what period? */
    ck_value("node_memory_MemAvailable_bytes", NULL, 600 * 1024);
    ck_value("node_load5", NULL, 0.25);
    ck_value("node_uptime_seconds", NULL, 123.45);
    ck_value("node_disk_read_bytes_total", "\"device\":\"mmcblk0\"", 200 * 512);
    ck_value("node_disk_written_bytes_total", NULL, 600 * 512);
    ck_value("node_disk_io_time_seconds_total", NULL, 8);
    ck_assert_ptr_null(find_line("node_disk_read_bytes_total", "mmcblk0p1"));
    ck_assert_ptr_null(find_line("node_disk_read_bytes_total", "loop0"));
    ck_value("node_network_receive_bytes_total", "\"device\":\"eth0\"", 1000);
    ck_value("node_network_transmit_drop_total", "\"device\":\"eth0\"", 4);
    ck_assert_ptr_null(find_line("node_network_receive_bytes_total", "veth12"));
    ck_assert_ptr_null(find_line("node_network_receive_bytes_total", "\"lo\""));
    ck_value("node_pressure_cpu_waiting_seconds_total", NULL, 2.5);
    ck_value("node_thermal_zone_temp_celsius", "\"zone\":\"0\"", 48.5);
    ck_value("pod_cpu_usage_seconds_total", "aa-bb", 1.5);
    ck_value("pod_cpu_throttled_seconds_total", "aa-bb", 0.25);
    ck_value("pod_memory_working_set_bytes", "aa-bb", 4000);
    ck_value("pod_oom_kills_total", "aa-bb", 2);
    ck_value("pod_cpu_usage_seconds_total", "cc-dd", 7e-6);
    ck_assert_ptr_nonnull(find_line("node_filesystem_avail_bytes", "\"mountpoint\":\"/\""));
    ck_assert_ptr_nonnull(strstr(find_line("node_disk_read_bytes_total", NULL), "\"type\":\"counter\""));
    ck_assert_ptr_nonnull(strstr(find_line("node_load1", NULL), "\"type\":\"gauge\""));
    ck_assert_ptr_nonnull(strstr(find_line("node_load1", NULL), "\"source\":\"node\""));
    /* In place: it stays open. */
    FILE *stat = fopen(below("proc/stat"), "w");
    ck_assert_int_ge(fputs("cpu  200 0 50 800 150 0 0 0 0 0\n", stat), 0);
    ck_assert_int_eq(fclose(stat), 0);
    run_s(10);
    ck_value("node_cpu_utilization_ratio", NULL, 0.5);
    source->free(source);
}
END_TEST

/* A machine that has nothing of it: nothing is said, nothing breaks. */
START_TEST(nothing_there)
{
    start();
    run_s(60);
    for (size_t i = 0; i < fix.n; i++)
        ck_assert_msg(strstr(fix.lines[i], "node_filesystem") != NULL, "%s", fix.lines[i]);
    source->free(source);
}
END_TEST

static const char *const nonsense[] = {"",
                                       "\n",
                                       "cpu",
                                       "cpu \n",
                                       "99999999999999999999999 x",
                                       "a:b:c\n: : :\n",
                                       "   8       0 sda 1 2\n",
                                       "  eth0: 1 2 3\n",
                                       "some total=\n",
                                       "-1 -1 -1\n"};

START_TEST(kernel_says_nonsense)
{
    make_machine();
    static const char *const files[] = {"proc/stat",
                                        "proc/meminfo",
                                        "proc/loadavg",
                                        "proc/uptime",
                                        "proc/diskstats",
                                        "proc/1/net/dev",
                                        "proc/pressure/cpu",
                                        "sys/class/thermal/thermal_zone0/temp",
                                        "sys/fs/cgroup/kubepods/burstable/podaa-bb/cpu.stat",
                                        "sys/fs/cgroup/kubepods/burstable/podaa-bb/memory.current"};
    for (size_t i = 0; i < HF_LEN(files); i++)
        file(files[i], nonsense[_i]);
    start();
    run_s(30);
    source->free(source);
}
END_TEST

START_TEST(no_room)
{
    make_machine();
    fix.room = 3;
    start();
    run_s(5);
    ck_assert_uint_eq(fix.n, 3);
    ck_assert_uint_eq(fix.offers, 4); /* the rest of the pass was not even offered */
    fix.room = SIZE_MAX;
    source->resume(source);
    run_s(10);
    ck_assert_uint_gt(fix.n, 30);
    source->free(source);
}
END_TEST

START_TEST(this_machine)
{
    const struct hf_telemetry_sources sources = {.node = true};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_source_node_new(&sources, &world, &intake, &source, &err), 0);
    run_s(11);
    ck_assert_ptr_nonnull(find_line("node_memory_MemTotal_bytes", NULL));
    ck_assert_ptr_nonnull(find_line("node_cpu_seconds_total", "\"mode\":\"user\""));
    source->free(source);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, fix_set_up, fix_tear_down);
    tcase_add_test(tc, figures);
    tcase_add_test(tc, nothing_there);
    tcase_add_loop_test(tc, kernel_says_nonsense, 0, (int)HF_LEN(nonsense));
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, this_machine);
}

HF_TEST_MAIN("telemetry/source_node", cases)
