/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls pass, and which services may be restarted. */
#include "base/macros.h"
#include "support/check_main.h"
#include "units/rule.h"

static const struct {
    const char *path, *interface, *member;
    enum hf_units_call want;
} calls[] = {
    {"/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", HF_UNITS_HELLO},
    {"/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", HF_UNITS_MATCH},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Subscribe", HF_UNITS_SUBSCRIBE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "ResetFailedUnit", HF_UNITS_SUBSCRIBE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "RestartUnit", HF_UNITS_RESTART},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "ReloadUnit", HF_UNITS_RESTART},
    {"/org/freedesktop/systemd1/unit/a", "org.freedesktop.systemd1.Manager", "ReloadUnit", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "ReloadOrRestartUnit", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1/unit/a_2eservice", "org.freedesktop.DBus.Properties", "GetAll", HF_UNITS_STATE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StartTransientUnit", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StartUnit", HF_UNITS_OWN_JOB},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StopUnit", HF_UNITS_OWN_JOB},
    {"/org/freedesktop/systemd1/unit/a", "org.freedesktop.systemd1.Manager", "StartUnit", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "EnableUnitFiles", HF_UNITS_OWN_FILES},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "DisableUnitFiles", HF_UNITS_OWN_FILES},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Reload", HF_UNITS_RELOAD},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Reexecute", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "MaskUnitFiles", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "SetUnitProperties", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "SetEnvironment", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Reboot", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "LinkUnitFiles", HF_UNITS_REFUSE},
    {"/org/freedesktop/login1", "org.freedesktop.login1.Manager", "Reboot", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1/unit/a", "org.freedesktop.systemd1.Manager", "RestartUnit", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1/unit/a", "org.freedesktop.systemd1.Unit", "Restart", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1/unit/a", "org.freedesktop.DBus.Properties", "Set", HF_UNITS_REFUSE},
    {"/org/freedesktop/login1", "org.freedesktop.DBus.Properties", "GetAll", HF_UNITS_REFUSE},
    {"/org/freedesktop/systemd1", NULL, "RestartUnit", HF_UNITS_REFUSE},
    {NULL, "org.freedesktop.systemd1.Manager", "RestartUnit", HF_UNITS_REFUSE},
};

START_TEST(a_call_passes_only_if_it_is_known)
{
    ck_assert_int_eq(hf_units_call_of(calls[_i].path, calls[_i].interface, calls[_i].member), calls[_i].want);
}
END_TEST

static const char *const some[] = {"edge-*.service", "k3s.service", NULL};

static const struct {
    const char *unit;
    const char *const *patterns;
    bool want;
} units[] = {
    {"edge-inference.service", NULL, true},
    {"edge-inference.service", some, true},
    {"k3s.service", some, true},
    {"with-dash@instance\\x2d1.service", NULL, true},
    {"sshd.service", some, false},
    {"k3s.service.d", NULL, false},
    {"reboot.target", NULL, false},
    {"poweroff.target", some, false},
    {"systemd-reboot.service", NULL, false},
    {"debug-shell.service", NULL, false},
    {"emergency.service", NULL, false},
    {"a.timer", NULL, false},
    {"", NULL, false},
    {".service", NULL, false},
    {"../a.service", NULL, false},
    {"a b.service", NULL, false},
    {"a.service\n", NULL, false},
};

START_TEST(a_service_is_restarted_only_if_allowed)
{
    ck_assert_msg(hf_units_restart_allowed(units[_i].unit, units[_i].patterns) == units[_i].want, "%s", units[_i].unit);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, a_call_passes_only_if_it_is_known, 0, (int)HF_LEN(calls));
    tcase_add_loop_test(tc, a_service_is_restarted_only_if_allowed, 0, (int)HF_LEN(units));
}

HF_TEST_MAIN("units/rule", cases)
