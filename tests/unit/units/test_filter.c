/* SPDX-License-Identifier: Apache-2.0 */
/* The filter between the agent's calls and a double of systemd's manager: what passes, what does not, and what happens
 * when a side goes away. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "loop/unit.h"
#include "support/bus.h"
#include "support/check_main.h"
#include "support/loop_for.h"

#define MS HF_NS_PER_MS
#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

static struct hf_loop *loop;
static const struct hf_unit_ops *unit;
static struct helper filter;
static char address[128];
static bool own_unit;

/* What the owner of the node allows. */
static void write_config(const char *line)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/agent.yaml", bus_folder);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_gt(fprintf(file, "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n%s\n", line), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
}

static void filter_start(void)
{
    const char *build = getenv("HF_BUILD_DIR");
    char command[PATH_MAX + 256];

    write_config("units: ['[!o]*.service']");
    (void)snprintf(command, sizeof(command),
                   "exec %s/holdfast-units --listen %s/filter --allow 'g*.service' --allow '[!x]*.service' "
                   "--config %s/agent.yaml %s 2>&1",
                   build != NULL ? build : "build/asan", bus_folder, bus_folder, own_unit ? "--own-unit" : "");
    (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.line, 1);
    helper_start(&filter, (const char *const[]){"/bin/sh", "-c", command, NULL});
    ck_assert_msg(strstr(filter.line, "units.listening") != NULL, "%s", filter.line);
    (void)snprintf(address, sizeof(address), "unix:path=%s/filter", bus_folder);
    (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
}

static void set_up(void)
{
    bus_folder_make();
    bus_start(false);
    manager_start();
    filter_start();
    loop = hf_loop_new(NULL);
    unit = hf_loop_unit(loop);
}

static void tear_down(void)
{
    hf_loop_free(loop);
    helper_stop(&filter);
    helper_stop(&manager);
    helper_stop(&bus);
    bus_folder_remove();
}

struct outcome {
    struct hf_unit_call *call;
    int done, r;
    char error[600], active[64], sub[64];
};

static void on_restarted(void *arg, int r, const struct hf_err *err)
{
    struct outcome *o = arg;

    o->done++;
    o->r = r;
    (void)hf_err_text(err, o->error, sizeof(o->error));
    hf_loop_stop(loop);
}

static void on_state(void *arg, int r, const char *active, const char *sub, const struct hf_err *err)
{
    struct outcome *o = arg;

    (void)snprintf(o->active, sizeof(o->active), "%s", active);
    (void)snprintf(o->sub, sizeof(o->sub), "%s", sub);
    on_restarted(arg, r, err);
}

static void restart(struct outcome *o, const char *name, uint64_t timeout_ns)
{
    *o = (struct outcome){0};
    ck_assert_int_eq(unit->restart(unit->ctx, name, timeout_ns, on_restarted, o, &o->call, NULL), 0);
    hf_loop_run(loop);
}

static void ask(struct outcome *o, const char *name)
{
    *o = (struct outcome){0};
    ck_assert_int_eq(unit->state(unit->ctx, name, 5 * HF_NS_PER_S, on_state, o, &o->call, NULL), 0);
    hf_loop_run(loop);
}

static const struct {
    const char *name;
    int want_r;
    const char *want_text;
} restarts[] = {
    {"good.service", 0, ""},
    {"tired.service", 0, ""},
    {"bad.service", -EIO, "'failed'"},
    {"absent.service", -ENOENT, "not found"},
    {"denied.service", -EACCES, "authentication"},
    {"slow.service", -ETIMEDOUT, "no answer"},
    {"noreply.service", -ETIMEDOUT, "no answer"},
    {"other.service", -EACCES, "add 'other.service' to units in "},
    {"xray.service", -EACCES, "may not restart 'xray.service'"},
    {"reboot.target", -EACCES, "may not restart 'reboot.target'"},
    {"systemd-reboot.service", -EACCES, "may not restart"},
};

START_TEST(a_restart_ends_as_without_the_filter)
{
    struct outcome o;

    restart(&o, restarts[_i].name, 400 * MS);
    ck_assert_msg(o.done == 1 && o.r == restarts[_i].want_r && strstr(o.error, restarts[_i].want_text) != NULL,
                  "%s: r %d '%s'", restarts[_i].name, o.r, o.error);
    restart(&o, "good.service", 5 * HF_NS_PER_S); /* and again, on the same connection */
    ck_assert_msg(o.r == 0, "%d '%s'", o.r, o.error);
}
END_TEST

/* The owner of the node changes the file while the filter runs. A file that cannot be used has the default. */
START_TEST(the_owner_decides)
{
    static const struct {
        const char *line;
        int want_r;
    } rows[] = {{"units: [good.service]", 0}, {"units: []", -EACCES},   {"units: ['b*']", -EACCES},
                {"units: 3", -EACCES},        {"unit: ['*']", -EACCES}, {"exec: []", 0}};
    struct outcome o;

    write_config(rows[_i].line);
    restart(&o, "good.service", 5 * HF_NS_PER_S);
    ck_assert_msg(o.r == rows[_i].want_r, "%s: r %d '%s'", rows[_i].line, o.r, o.error);
}
END_TEST

START_TEST(a_state_is_read)
{
    struct outcome o;

    ask(&o, "good.service");
    ck_assert_msg(o.r == 0, "%d '%s'", o.r, o.error);
    ck_assert_str_eq(o.active, "active");
    ck_assert_str_eq(o.sub, "running");
    ask(&o, "absent.service");
    ck_assert_int_eq(o.r, -ENOENT);
}
END_TEST

static const struct {
    const char *destination, *path, *interface, *member, *argument;
} attacks[] = {
    {MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "StartUnit", "good.service"},
    {MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "StopUnit", "good.service"},
    {MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "StartTransientUnit", "evil.service"},
    {MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "SetEnvironment", "LD_PRELOAD=/opt/x"},
    {MANAGER, MANAGER_PATH "/unit/good_2eservice", "org.freedesktop.DBus.Properties", "GetAll",
     "org.freedesktop.systemd1.Service"},
    {"org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "Reboot", ""},
    {"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", MANAGER},
};

START_TEST(every_other_call_is_refused)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus *connection = NULL;

    ck_assert_int_ge(sd_bus_open_system(&connection), 0);
    int r = sd_bus_call_method(connection, attacks[_i].destination, attacks[_i].path, attacks[_i].interface,
                               attacks[_i].member, &error, NULL, "s", attacks[_i].argument);
    ck_assert_int_lt(r, 0);
    ck_assert_msg(sd_bus_error_has_name(&error, "org.freedesktop.DBus.Error.AccessDenied"), "%s: %s",
                  attacks[_i].member, error.name);
    sd_bus_error_free(&error);
    sd_bus_flush_close_unref(connection);
}
END_TEST

START_TEST(the_bus_goes_and_comes_back)
{
    struct outcome o;

    restart(&o, "good.service", 5 * HF_NS_PER_S);
    ck_assert_int_eq(o.r, 0);
    helper_stop(&manager);
    helper_stop(&bus);
    restart(&o, "good.service", 5 * HF_NS_PER_S);
    ck_assert_msg(o.r == -ENOTCONN || o.r == -ETIMEDOUT, "%d '%s'", o.r, o.error);
}
END_TEST

START_TEST(the_filter_goes_and_comes_back)
{
    struct outcome o;

    restart(&o, "good.service", 5 * HF_NS_PER_S);
    ck_assert_int_eq(o.r, 0);
    helper_stop(&filter);
    restart(&o, "good.service", 5 * HF_NS_PER_S);
    ck_assert_msg(o.r == -ENOTCONN, "%d '%s'", o.r, o.error);
    filter_start();
    restart(&o, "good.service", 5 * HF_NS_PER_S);
    ck_assert_msg(o.r == 0, "%d '%s'", o.r, o.error);
}
END_TEST

START_TEST(more_connections_than_it_takes_do_no_harm)
{
    sd_bus *connections[16] = {NULL};
    struct stat found;
    struct outcome o;
    char path[128];

    for (size_t i = 0; i < HF_LEN(connections); i++)
        (void)sd_bus_open_system(&connections[i]);
    for (size_t i = 0; i < HF_LEN(connections); i++)
        sd_bus_close_unref(connections[i]);
    for (int i = 0; i < 500; i++) { /* until it has seen that they are closed */
        restart(&o, "good.service", 5 * HF_NS_PER_S);
        if (o.r != -ENOTCONN)
            break;
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    ck_assert_msg(o.r == 0, "%d '%s'", o.r, o.error);
    (void)snprintf(path, sizeof(path), "%s/filter", bus_folder);
    ck_assert_int_eq(stat(path, &found), 0);
    ck_assert_uint_eq(found.st_mode & 0777, 0600);
}
END_TEST

/* With --own-unit the life of exactly one unit passes; the double of systemd knows none of these calls, and says so. */
START_TEST(the_agents_own_unit)
{
    static const struct {
        enum hf_unit_act act;
        const char *name;
        bool passes;
    } rows[] = {
        {HF_UNIT_START, "holdfast-agent.service", true},
        {HF_UNIT_STOP, "holdfast-agent.service", true},
        {HF_UNIT_ENABLE, "holdfast-agent.service", true},
        {HF_UNIT_DISABLE, "holdfast-agent.service", true},
        {HF_UNIT_RELOAD_ALL, "holdfast-agent.service", true},
        {HF_UNIT_START, "good.service", false},
        {HF_UNIT_STOP, "holdfast-agent@x.service", false},
        {HF_UNIT_ENABLE, "/opt/holdfast-agent.service", false},
        {HF_UNIT_DISABLE, "sshd.service", false},
    };
    struct outcome o = {0};

    for (int own = 0; own < 2; own++) {
        helper_stop(&filter);
        own_unit = own == 1;
        filter_start();
        ck_assert_int_eq(
            unit->act(unit->ctx, rows[_i].act, rows[_i].name, 5 * HF_NS_PER_S, on_restarted, &o, &o.call, NULL), 0);
        hf_loop_run(loop);
        bool refused = o.r == -EACCES;
        ck_assert_msg(refused == !(own == 1 && rows[_i].passes), "%s: %d '%s'", rows[_i].name, o.r, o.error);
    }
    own_unit = false;
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_restart_ends_as_without_the_filter, 0, (int)HF_LEN(restarts));
    tcase_add_test(tc, a_state_is_read);
    tcase_add_loop_test(tc, the_owner_decides, 0, 6);
    tcase_add_loop_test(tc, every_other_call_is_refused, 0, (int)HF_LEN(attacks));
    tcase_add_loop_test(tc, the_agents_own_unit, 0, 9);
    tcase_add_test(tc, the_bus_goes_and_comes_back);
    tcase_add_test(tc, the_filter_goes_and_comes_back);
    tcase_add_test(tc, more_connections_than_it_takes_do_no_harm);
}

HF_TEST_MAIN("units/filter", cases)
