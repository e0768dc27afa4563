/** Settings that no editor can show (a hand-written document) must not take the canvas with them. */
import { Button } from "antd";
import { Component, type ReactNode } from "react";

interface FormGuardProps {
  children: ReactNode;
  /** Shown in place of the form. */
  words: string;
  resetLabel: string;
  onReset: () => void;
}

export class FormGuard extends Component<FormGuardProps, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError(): { isBroken: boolean } {
    return { isBroken: true };
  }

  override render(): ReactNode {
    if (!this.state.isBroken) return this.props.children;
    const reset = (): void => {
      this.props.onReset();
      this.setState({ isBroken: false });
    };
    return (
      <div role="alert">
        <p className="secondary">{this.props.words}</p>
        <Button size="small" onClick={reset}>
          {this.props.resetLabel}
        </Button>
      </div>
    );
  }
}
