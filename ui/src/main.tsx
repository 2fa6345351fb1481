import { render } from "preact";
import { App } from "./app";
import { LocalApp } from "./local/app";
import { LOCAL, start } from "./store";
import "./style.css";

start();
render(LOCAL ? <LocalApp /> : <App />, document.getElementById("app")!);
