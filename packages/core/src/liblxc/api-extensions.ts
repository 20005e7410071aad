/**
 * The names that lxc_has_api_extension(3) knows, of liblxc 5.0 to 7.0 (api_extensions.h): the library itself lists none, and
 * which of them a library has depends on what it was built with.
 */
export const apiExtensions = [
  'lxc_log',
  'lxc_config_item_is_supported',
  'console_log',
  'reboot2',
  'mount_injection',
  'cgroup_relative',
  'mount_injection_file',
  'seccomp_allow_nesting',
  'seccomp_notify',
  'network_veth_routes',
  'network_ipvlan',
  'network_l2proxy',
  'network_gateway_device_route',
  'network_phys_macvlan_mtu',
  'network_veth_router',
  'cgroup2',
  'cgroup2_devices',
  'pidfd',
  'cgroup_advanced_isolation',
  'network_bridge_vlan',
  'time_namespace',
  'seccomp_allow_deny_syntax',
  'devpts_fd',
  'seccomp_notify_fd_active',
  'seccomp_proxy_send_notify_fd',
  'idmapped_mounts',
  'idmapped_mounts_v2',
  'core_scheduling',
  'cgroup2_auto_mounting',
  'environment_runtime_hooks',
] as const

export type ApiExtension = (typeof apiExtensions)[number]
