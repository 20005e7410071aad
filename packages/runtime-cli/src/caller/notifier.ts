/** What of notify-mount.ts the verbs need to know before they load it. */
export type Notifier = typeof import('./notify-mount.ts')

/** Undefined for a container that has nobody to tell that it is ready. Throws RuntimeError for a socket that cannot be one. */
export async function notifierOf({
  notifySocket,
}: {
  readonly notifySocket?: string | undefined
}): Promise<Notifier | undefined> {
  if (!notifySocket) return undefined
  const notify = await import('./notify-mount.ts')
  notify.checkNotifySocket(notifySocket)
  return notify
}
