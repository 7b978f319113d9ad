/** The target cannot be judged at all: it did not start, or nothing answers. */
export class TargetUnreachable extends Error {
  override readonly name = 'TargetUnreachable';
}
